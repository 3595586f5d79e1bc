"""The process that a make's first line starts: finds the makes above, and writes the record's header."""
