"""Records of ended makes go into the store, each line exactly once, and are removed."""
