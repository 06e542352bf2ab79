"""Refusals of the door in the reader's language."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from flask_babel import format_date, format_datetime, gettext

from trellis.config.phrase import Phrase
from trellis.model.text import Text
from trellis.web.formulas import phrase_words
from trellis.web.i18n import say

if TYPE_CHECKING:
    from trellis.records.refusal import Fault, Refused


def fault_text(fault: Fault, language: str | None = None) -> str:
    """One fault as a sentence for the reader; `language` where it is not the page's."""

    def word(value: Any) -> Any:
        if isinstance(value, tuple | list):
            return gettext(", ").join(str(word(item)) for item in value)
        if isinstance(value, Phrase):
            return phrase_words(value)
        if isinstance(value, Text):
            return value.in_language(language) if language else say(value)
        if isinstance(value, datetime):
            return format_datetime(value, "short")
        if isinstance(value, date):
            return format_date(value)
        return value

    message = fault.message
    if isinstance(message, Phrase):
        return phrase_words(message)
    words = word(message) if isinstance(message, Text) else gettext(message)
    if not fault.params:
        return str(words)
    params = {key: word(value) for key, value in fault.params.items()}
    if isinstance(known := params.get("format"), str):  # a named format's name is ours
        params["format"] = gettext(known)
    try:
        return str(words).format_map(_Kept(params))
    except (IndexError, ValueError):  # a message from the YAML with braces of its own
        return str(words)


def refusal_text(refused: Refused) -> str:
    """All that is wrong, in one text."""
    return " ".join(fault_text(fault) for fault in refused.faults)


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
