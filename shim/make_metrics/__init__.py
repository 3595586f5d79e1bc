"""make-metrics times every target of a Makefile that includes its fragment."""

__version__ = "0.7.0"
