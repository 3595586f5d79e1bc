"""Checks that need more than one test run: conformance with plain make, comparing platforms, real projects."""
