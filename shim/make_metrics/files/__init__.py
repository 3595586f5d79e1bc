"""Where our files lie, and reading and writing them safely."""
