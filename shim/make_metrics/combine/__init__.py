"""From the entries of a run's record to one event per target. Pure: no input or output."""
