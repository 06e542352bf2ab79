"""Workflows as the Model holds them: what sets them off, and what they do."""
