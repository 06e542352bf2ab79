"""Soon replaced."""
