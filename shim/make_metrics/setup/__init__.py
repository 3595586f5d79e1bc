"""What `make-metrics setup` writes: the fragment with this installation's paths, and the bundle of compiled modules."""
