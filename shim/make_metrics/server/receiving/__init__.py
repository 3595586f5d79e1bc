"""Segment's protocol: requests in, checked rows out; health, numbers and the description of the interface."""
