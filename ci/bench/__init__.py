"""What recording costs: measured against plain make in the same run (`python -m ci.bench --help`)."""
