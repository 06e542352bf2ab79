"""A letter: what it says, and how it looks as text and as HTML."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from trellis.model.markup import plain_text, render_markdown, sanitise

if TYPE_CHECKING:
    from uuid import UUID

    from trellis.automation.mail.account import Account
    from trellis.model.profile import TenantProfile

COLOR = "#4f46e5"
_HEX = re.compile(r"#[0-9a-fA-F]{6}")
_BLANK = re.compile(r"\s+")


@dataclass(frozen=True)
class Attached:
    """A file that goes along."""

    name: str
    type: str
    content: bytes


@dataclass(frozen=True)
class Letter:
    """What somebody reads. `small` stands below, in grey; the button is a label and an address."""

    subject: str
    heading: str
    paragraphs: tuple[str, ...]
    button: tuple[str, str] | None = None
    small: tuple[str, ...] = ()
    language: str = "en"
    sender: str = ""  # the company
    color: str = COLOR
    body: str = ""  # Markdown, in place of heading and paragraphs
    html_body: str = ""  # HTML made by hand, in place of the body's
    reply_to: str = ""
    attachments: tuple[tuple[str, str], ...] = ()  # files of the tenant: id and name

    def as_data(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return asdict(self)

    @classmethod
    def of_data(cls, data: Mapping[str, Any]) -> Letter:
        """From what JSON kept."""
        button = data.get("button")
        return cls(
            **{
                **data,
                "paragraphs": tuple(data["paragraphs"]),
                "small": tuple(data["small"]),
                "button": (button[0], button[1]) if button else None,
                "attachments": tuple((id, name) for id, name in data.get("attachments") or ()),
            }
        )

    @property
    def text(self) -> str:
        """The letter for readers of plain text."""
        words = plain_text(self.html_body) if self.html_body and not self.body else self.body
        parts = [words.strip()] if words else [self.heading, *self.paragraphs]
        if self.button is not None:
            parts.append(f"{self.button[0]}:\n{self.button[1]}")
        return "\n\n".join([*parts, f"-- \n{self.sender}", *self.small]) + "\n"

    @property
    def html(self) -> str:
        """The letter in our look."""
        written = sanitise(self.html_body) if self.html_body else render_markdown(self.body) if self.body else ""
        page = _templates().get_template("letter.html")
        return page.render(letter=self, ink=_ink(self.color), written=Markup(written))

    def message(self, account: Account, to: str, id: UUID, attached: Sequence[Attached] = ()) -> EmailMessage:
        """As it goes over the wire. The id of a letter stays the same however often it is tried."""
        message = EmailMessage()
        message["Subject"] = _line(self.subject)
        message["From"] = account.sender
        message["To"] = to
        message["Date"] = formatdate()
        domain = parseaddr(account.sender)[1].rpartition("@")[2] or "localhost"
        message["Message-ID"] = f"<{id}@{domain}>"
        message["Auto-Submitted"] = "auto-generated"
        if self.reply_to or account.reply_to:
            message["Reply-To"] = _line(self.reply_to or account.reply_to)
        message.set_content(self.text)
        message.add_alternative(self.html, subtype="html")
        for file in attached:
            kind, _, subtype = file.type.partition("/")
            message.add_attachment(file.content, maintype=kind, subtype=subtype or "octet-stream", filename=file.name)
        return message


class Look(TypedDict):
    """What a company's letters have in common."""

    sender: str
    color: str


def in_look(profile: TenantProfile) -> Look:
    """What a company's letters have in common: its name and its colour."""
    color = str(profile.theme.get("color") or "")
    return {"sender": profile.label, "color": color if _HEX.fullmatch(color) else COLOR}


def _line(text: str) -> str:
    return _BLANK.sub(" ", text).strip()


def _ink(color: str) -> str:
    """White or black, whichever is read on the colour."""
    red, green, blue = (int(color[n : n + 2], 16) for n in (1, 3, 5))
    return "#ffffff" if 0.299 * red + 0.587 * green + 0.114 * blue < 150 else "#111111"


@cache
def _templates() -> Environment:
    return Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True)
