"""A message as it came, understood: who, to whom, what, in answer to what, and whether a machine has written it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import EmailMessage
from email.utils import getaddresses, parsedate_to_datetime

from trellis.automation.mail.incoming.bounces import Bounce, bounce_of
from trellis.automation.mail.incoming.charsets import mended, text_of
from trellis.model.markup import plain_text, sanitise

MOST_FILES = 20
LONGEST = 200_000  # letters of a text
_ID = re.compile(r"<[^<>\s]{1,400}>")
_IMAGE = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
_QUOTED = re.compile(
    r"^(>|-{2,} ?(original message|ursprüngliche nachricht|原始邮件)|_{10,}|(on|am) .{5,200}(wrote|schrieb[^:]*):\s*$"
    r"|在.{4,200}写道[:：]|(from|von|发件人)[:：] .*@)",
    re.IGNORECASE,
)
_MACHINES = ("mailer-daemon@", "postmaster@", "noreply@", "no-reply@", "donotreply@", "do-not-reply@")
_LEAVE = re.compile(r"\s*(unsubscribe|opt[ -]?out|退订|td)\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Attachment:
    """A file that came along."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Received:
    """A message that came in. `text` is its own; `html` shows all of it, harmless and without images."""

    message_id: str
    sender: str
    sender_name: str
    to: tuple[str, ...]
    cc: tuple[str, ...]
    subject: str
    text: str
    html: str
    at: datetime | None
    in_reply_to: tuple[str, ...]  # the nearest first
    attachments: tuple[Attachment, ...] = ()
    is_automatic: bool = False
    is_listed: bool = False  # a newsletter, a mailing list
    wants_to_leave: bool = False
    bounce: Bounce | None = None


def understood(raw: bytes, *, whole: bool = True) -> Received:
    """A message of the bytes that came; whatever is broken in it is left out."""
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    senders = _addresses(message, "From") or _addresses(message, "Sender")
    name, address = senders[0] if senders else ("", "")
    subject = " ".join(_header(message, "Subject").split())
    bounce = bounce_of(message)
    text, html = _body(message) if whole else ("", "")
    return Received(
        message_id=_id_of(message, raw),
        sender=address.lower(),
        sender_name=name,
        to=tuple(a for _, a in (*_addresses(message, "To"), *_addresses(message, "Delivered-To"))),
        cc=tuple(a for _, a in _addresses(message, "Cc")),
        subject=subject,
        text=text,
        html=html,
        at=_date(message),
        in_reply_to=_references(message),
        attachments=tuple(_attachments(message, html)) if whole else (),
        is_automatic=_is_automatic(message, address),
        is_listed=bool(_header(message, "List-Id") or _header(message, "List-Unsubscribe")),
        wants_to_leave=bool(_LEAVE.fullmatch(subject)),
        bounce=bounce,
    )


def own_words(text: str) -> str:
    """What somebody has written themselves: without what they answer to, if that stands below."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if _QUOTED.match(line.strip()) and any(each.strip() for each in lines[:number]):
            rest = [each.strip() for each in lines[number + 1 :] if each.strip()]
            if line.strip()[:1] != ">" or all(each[:1] == ">" for each in rest):
                return "\n".join(lines[:number]).strip()
    return text.strip()


def _raw(message: EmailMessage, name: str) -> list[str]:
    """A header as it came: the library's own reading of headers falls over some, and forgets bytes of others."""
    return [" ".join(str(value).split()) for key, value in message.raw_items() if key.lower() == name.lower()]


def _header(message: EmailMessage, name: str) -> str:
    return decoded(next(iter(_raw(message, name)), ""))


def decoded(raw: str) -> str:
    """A header's text: encoded words by what their character set means, other bytes by what they look like."""
    try:
        parts = decode_header(raw)
    except (HeaderParseError, ValueError):
        return mended(raw)
    found = [
        text_of(part, charset) if isinstance(part, bytes) and charset else mended(_as_text(part))
        for part, charset in parts
    ]
    return "".join(found)


def _as_text(part: bytes | str) -> str:
    return part if isinstance(part, str) else part.decode("raw-unicode-escape", "replace")


def _addresses(message: EmailMessage, name: str) -> list[tuple[str, str]]:
    found = getaddresses(_raw(message, name))
    return [(" ".join(decoded(who).split()), mended(address).strip()) for who, address in found if "@" in address]


def _id_of(message: EmailMessage, raw: bytes) -> str:
    """What the message is called; one without a name is known by its content."""
    found = _ID.search(_header(message, "Message-ID"))
    return found[0] if found else f"<{hashlib.sha256(raw).hexdigest()[:40]}@unnamed>"


def _references(message: EmailMessage) -> tuple[str, ...]:
    near = _ID.findall(_header(message, "In-Reply-To"))
    far = _ID.findall(_header(message, "References"))
    return tuple(dict.fromkeys([*near, *reversed(far)]))[:50]


def _date(message: EmailMessage) -> datetime | None:
    try:
        found = parsedate_to_datetime(_header(message, "Date"))
    except (TypeError, ValueError, OverflowError):
        return None
    return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).astimezone(UTC)


def _is_automatic(message: EmailMessage, sender: str) -> bool:
    said = _header(message, "Auto-Submitted").partition(";")[0].strip().lower()
    return (
        said not in ("", "no")
        or _header(message, "Precedence").strip().lower() in ("bulk", "junk", "list", "auto_reply")
        or any(_header(message, name) for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Reply"))
        or _header(message, "Return-Path").strip() == "<>"
        or sender.lower().startswith(_MACHINES)
        or message.get_content_type() == "multipart/report"
    )


def _body(message: EmailMessage) -> tuple[str, str]:
    """Its own words, and all of it as harmless HTML."""
    plain, marked = _part(message, "plain"), _part(message, "html")
    html = sanitise(_IMAGE.sub("", marked))[:LONGEST] if marked else ""
    whole = (plain or (plain_text(marked) if marked else ""))[:LONGEST]
    text = own_words(whole)
    if not html and text != whole.strip():
        html = sanitise("<p>" + _escaped(whole) + "</p>")
    return text or whole.strip(), html


def _part(message: EmailMessage, kind: str) -> str:
    try:
        part = message.get_body((kind,))
    except (AttributeError, KeyError, ValueError):  # parts that are not what they say
        part = None
    if part is None:
        return ""
    content = part.get_payload(decode=True)
    return text_of(content, part.get_content_charset()) if isinstance(content, bytes) else ""


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\n", "<br>")


def _attachments(message: EmailMessage, html: str) -> Iterator[Attachment]:
    count = 0
    for part in message.walk():
        name = _name(part)
        if part.is_multipart() or not name or (part.get_content_disposition() != "attachment" and part["Content-ID"]):
            continue  # a picture inside the text
        content = part.get_payload(decode=True)
        if isinstance(content, bytes) and content and count < MOST_FILES:
            count += 1
            yield Attachment(mended(name)[:200], content)


def _name(part: object) -> str:
    try:
        return str(part.get_filename() or "")  # type: ignore[attr-defined]
    except Exception:  # a name that is broken is none
        return ""
