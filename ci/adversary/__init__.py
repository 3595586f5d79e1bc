"""Attacks a home and its builds in every way we know, and counts what is lost, doubled, leaked or built otherwise."""
