"""Failures of make-metrics itself: their log, and their reports, which need a yes of their own."""
