"""Workflows at work: inside saves, and as runs after them."""
