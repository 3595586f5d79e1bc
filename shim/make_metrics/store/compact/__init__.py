"""The compact form of runs in the store: shared texts, rows of runs and events, and the views for other programs."""
