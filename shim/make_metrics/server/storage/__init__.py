"""The receiver's database, SQLite or PostgreSQL: tables, migrations, writing, roll-ups, retention and erasure."""
