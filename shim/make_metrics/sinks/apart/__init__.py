"""Sinks of other packages: each works in a process of its own, so that it harms no other."""
