"""The sweep: the records of ended makes come in; their events go into the store, each line exactly once.

A record is removed once its events are stored. Messages that may be sent go into the outbox.
"""
