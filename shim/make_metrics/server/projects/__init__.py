"""Projects of the receiver: write keys, viewing tokens, settings, export."""
