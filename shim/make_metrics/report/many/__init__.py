"""What many runs say, as text, Markdown and JSON."""
