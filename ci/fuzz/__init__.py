"""Damages every file that we read, and looks at what each command and make do then."""
