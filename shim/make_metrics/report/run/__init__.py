"""What people are shown of one run: a screen, estimates, a trace, a timeline. Pure."""
