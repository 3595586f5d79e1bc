"""Generated makefiles, built by plain make and with the include line: output, status and files must be the same.

`program` says what is generated; `lines`, `settings` and `generate` make it from a seed. `compare` runs it with the
conformance suite's parts, and `shrink` makes what differs small.
"""
