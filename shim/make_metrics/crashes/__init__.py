"""Failures of make-metrics itself: the log of them, and the reports of them after a yes of their own."""
