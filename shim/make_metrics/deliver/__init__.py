"""From events in the store to requests: what each sink is told, and the delivery of what waits in the outbox."""
