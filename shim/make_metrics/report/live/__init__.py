"""A make that still runs: its targets against the runs before, and lines that are redrawn in place. Pure."""
