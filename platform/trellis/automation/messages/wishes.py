"""What people write to a number to hear no more from it, and to hear from it again."""

from __future__ import annotations

import re
from typing import Literal

Wish = Literal["stop", "start", ""]
_STOP = re.compile(
    r"(stop( ?all)?|unsubscribe|opt[ -]?out|cancel|quit|end|arr[eê]t|abmelden|退订|取消订阅|td|t|td退订)", re.IGNORECASE
)
_START = re.compile(r"(start|unstop|subscribe|opt[ -]?in|恢复|恢复订阅|订阅)", re.IGNORECASE)
_AROUND = " \t\r\n.,!?;:\"'“”‘’。，！？；：、（）()【】[]"


def wish_of(text: str) -> Wish:
    """What a whole message asks for; a word inside one is no wish."""
    words = text.strip(_AROUND)
    if _STOP.fullmatch(words):
        return "stop"
    return "start" if _START.fullmatch(words) else ""
