"""Pools: when a record goes back, who may take it, and what is hidden while nobody has it."""
