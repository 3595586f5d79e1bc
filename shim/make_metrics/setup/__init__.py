"""What `make-metrics setup` writes: the fragment with this installation's paths, and the bundle of compiled modules.

In come the user's directories and the installed package; out go the files that make and the hot path start from.
"""
