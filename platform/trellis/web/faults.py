"""Refusals of the door in the reader's language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_babel import gettext

from trellis.model.text import Text
from trellis.web.i18n import say

if TYPE_CHECKING:
    from trellis.records.refusal import Fault, Refused


def fault_text(fault: Fault) -> str:
    """One fault as a sentence for the reader."""
    words = say(fault.message) if isinstance(fault.message, Text) else gettext(fault.message)
    return str(words).format_map(_Kept({k: say(v) for k, v in fault.params.items()})) if fault.params else str(words)


def fault_texts(refused: Refused) -> dict[str, str]:
    """The faults by field; what is wrong with the whole record stands under ""."""
    texts: dict[str, str] = {}
    for fault in refused.faults:
        key = fault.field or ""
        texts[key] = f"{texts[key]} {fault_text(fault)}" if key in texts else fault_text(fault)
    return texts


class _Kept(dict[str, Any]):
    """Leaves a placeholder that has no value as it stands."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"
