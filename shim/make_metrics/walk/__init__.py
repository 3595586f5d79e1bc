"""The process that the first line of each make starts: it finds the makes above, and writes the record's header."""
