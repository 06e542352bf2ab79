"""What servers write when a letter could not be delivered (RFC 3464)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import EmailMessage, Message

PASSING = ("5.2.", "5.3.", "5.6.", "5.7.")  # a mailbox that is full, a server that is, a letter that is not wanted
_ID = re.compile(r"<[^<>\s]{1,400}>")


@dataclass(frozen=True)
class Bounce:
    """A letter that came back. `is_final`: it will not arrive; `closes`: nothing will ever reach the address."""

    address: str
    is_final: bool
    original: str  # the letter's Message-ID; "" when the report does not tell
    why: str = ""
    closes: bool = False


def bounce_of(message: EmailMessage) -> Bounce | None:
    """What a report of a delivery says; None for every other message, and for reports of success."""
    if message.get_content_type() != "multipart/report":
        return None
    address, action, status, why, original = "", "", "", "", ""
    for part in message.walk():
        kind = part.get_content_type()
        if kind == "message/delivery-status":
            for fields in _groups(part):
                if fields.get("Final-Recipient") or fields.get("Original-Recipient"):
                    said = str(fields.get("Original-Recipient") or fields.get("Final-Recipient"))
                    address = said.rpartition(";")[2].strip().strip("<>")
                    action = str(fields.get("Action") or "").strip().lower()
                    status = str(fields.get("Status") or "").strip()
                    why = " ".join(str(fields.get("Diagnostic-Code") or "").split())[:300]
        elif kind in ("message/rfc822", "message/global"):
            inner = part.get_payload()
            if isinstance(inner, list) and inner and isinstance(inner[0], Message):
                original = original or _id(str(inner[0].get("Message-ID") or ""))
        elif kind in ("text/rfc822-headers", "message/rfc822-headers"):
            content = part.get_payload(decode=True)
            head = content.decode("utf-8", "replace") if isinstance(content, bytes) else str(part.get_payload())
            found = re.search(r"^message-id:\s*(<[^<>\s]+>)", head, re.IGNORECASE | re.MULTILINE)
            original = original or (found[1] if found else "")
    if "@" not in address or action not in ("failed", "delayed"):
        return None
    final = action == "failed" and status.startswith("5")
    return Bounce(address.lower(), final, original, why, final and not status.startswith(PASSING))


def _groups(part: Message) -> list[Message]:
    inner = part.get_payload()
    return [each for each in inner if isinstance(each, Message)] if isinstance(inner, list) else []


def _id(text: str) -> str:
    found = _ID.search(text)
    return found[0] if found else ""
