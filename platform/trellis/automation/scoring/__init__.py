"""Scoring: points for what records are and for what happens to them, and what time takes of them."""
