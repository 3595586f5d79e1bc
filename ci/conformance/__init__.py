"""Conformance: every case of `tests/cases` run with plain make and with the include line, and compared."""
