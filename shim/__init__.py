"""make-metrics: times every target of a Makefile that includes its fragment."""
