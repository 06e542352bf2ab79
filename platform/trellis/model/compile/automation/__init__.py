"""Workflows, resolved: triggers, then steps, whose results later steps name."""
