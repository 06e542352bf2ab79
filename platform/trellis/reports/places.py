"""Where an answer goes: how many of its records go there, and which fields may not."""

from __future__ import annotations

EXPORT, API = "export", "api"  # fields may be hidden in files, or from programs
MOST = {EXPORT: 50_000, API: 10_000}  # records
LOOKS = ((None, None), *((most, place) for place, most in MOST.items()))
"""How a report is asked for: as many records as a page shows, a file, a program."""
