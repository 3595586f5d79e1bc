"""What the pages ask the database: statements, and the answers as plain values. Only roll-ups, but for one run."""
