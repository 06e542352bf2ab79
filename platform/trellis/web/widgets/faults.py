"""Refusals in the reader's words."""

from __future__ import annotations

from flask_babel import gettext

from trellis.model.text import Text
from trellis.records.refusal import Fault


def fault_text(fault: Fault, language: str) -> str:
    """A fault's message: ours translated by gettext, the YAML's by the YAML."""
    params = {
        key: value.in_language(language) if isinstance(value, Text) else value for key, value in fault.params.items()
    }
    message = fault.message.in_language(language) if isinstance(fault.message, Text) else gettext(fault.message)
    try:
        return message.format(**params) if params else message
    except (KeyError, IndexError, ValueError):
        return message
