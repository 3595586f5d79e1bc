"""The store, a SQLite database: combined runs and their events come in; reports and the outbox read them.

It also holds the messages that wait to be sent, and how far each record is combined.
"""
