"""make-metrics times every target of a Makefile that includes its fragment."""

__version__ = "0.6.0"
