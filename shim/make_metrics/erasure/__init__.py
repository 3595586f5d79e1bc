"""Erasure: what receivers are asked to delete of an id. A user asks, and they are asked until they have answered."""
