"""The hot path: what runs for each recipe line.

In come the words that the fragment puts in front of a line (`hot.arguments`); out go the line, run as make would have
run it, and one entry in the run's record (`hot.record_format`). Modules here import only what is built into the
interpreter. `launcher.c` with `in_c/` is the same program compiled.
"""
