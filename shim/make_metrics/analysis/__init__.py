"""What a run says: its targets and lines as data come in, findings go out. Pure: no input or output."""
