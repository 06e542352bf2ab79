"""Refusals in the reader's words, for forms."""

from __future__ import annotations

from trellis.records.refusal import Fault
from trellis.web import faults


def fault_text(fault: Fault, language: str) -> str:
    """A fault's message: ours translated by gettext, the YAML's by the YAML."""
    return faults.fault_text(fault, language)
