"""Kinds of sink that other packages bring: what they declare, asked in a process of their own."""
