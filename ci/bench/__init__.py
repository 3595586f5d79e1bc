"""Measures what recording costs, against plain make in the same run (`python -m ci.bench --help`)."""
