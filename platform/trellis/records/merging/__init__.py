"""Merging records: several become one, everything that hangs on them follows, and it can be undone for a while."""
