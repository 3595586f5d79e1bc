"""A day of the roll-ups: how it is made of its events, and on SQLite how that is put in its place."""
