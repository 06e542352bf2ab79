"""What a person is told when a command falls over: what was wrong and what to do, never a traceback."""

from __future__ import annotations

import os
import sys

import click

DEBUG = "TRELLIS_DEBUG"


def explained(error: Exception) -> click.ClickException | None:
    """The error for people; None when they want the traceback (TRELLIS_DEBUG=1)."""
    if os.environ.get(DEBUG):
        return None
    return click.ClickException(_words(error))


def _words(error: Exception) -> str:
    name = type(error).__name__
    if name == "DatabaseUnusable":
        return str(error)
    if name == "RevisionChanged":
        return f"{error}. Nothing was written; run it again."
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}. Is the place there, writable, and is there space on the disk?"
    origin = getattr(error, "orig", None)  # the driver's own words, without the statement and its values
    said = str(origin or error).strip().splitlines()
    command = " ".join(a for a in sys.argv[1:2] if not a.startswith("-"))
    return (
        f"trellis {command} failed: {said[0] if said else name} ({name}). "
        f"`trellis doctor` looks for what is wrong; {DEBUG}=1 shows where it happened."
    )
