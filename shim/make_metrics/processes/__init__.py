"""What we ask the system about other processes: which one a key names, which are makes, when one ends."""
