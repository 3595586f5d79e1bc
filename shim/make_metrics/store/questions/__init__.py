"""Questions about many runs, answered by SQLite."""
