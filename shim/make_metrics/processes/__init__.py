"""What we ask the system about other processes: which process a key names, which are makes, and when one ends."""
