"""Combining: the entries of a run's record come in, one event for each target goes out. Pure: no input or output."""
