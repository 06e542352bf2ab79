"""A letter: what it says, and how it looks as text and as HTML."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from email.message import EmailMessage
from email.utils import formataddr, formatdate, parseaddr
from functools import cache
from html import unescape
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
_A = re.compile(r'(<a\b[^>]*?\bhref=")(https?://[^"]+)(")', re.IGNORECASE)
LONGEST_LOCAL = 64  # letters before the @ (RFC 5321)


@dataclass(frozen=True)
class Attached:
    """A file that goes along."""

    name: str
    type: str
    content: bytes


@dataclass(frozen=True)
class Trace:
    """By what it is noted that a letter was opened: a picture; and a link's address with its number behind it."""

    token: str
    picture: str = ""
    click: str = ""
    links: tuple[str, ...] = ()


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
    account: str = ""  # by whose server and in whose name; "": the first
    author: str = ""  # the person who has written it: then it is no machine's
    cc: tuple[str, ...] = ()  # shown to everybody who gets it
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    unsubscribe: str = ""  # the link that opts out, of letters that one may do without
    unsubscribe_words: str = ""
    grid: Mapping[str, Any] | None = None  # a table: {heads: [[text, is_number]], lines: [[kind, [text, …]]], …}
    sections: tuple[Mapping[str, Any], ...] = ()  # {figures} or {title, heads, lines, note}
    files: tuple[tuple[str, str, str], ...] = ()  # made for this letter: name, type, content in base64
    trace: Trace | None = None
    reply_token: str = ""  # names the letter in the address that answers go to

    def as_data(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return asdict(self)

    @classmethod
    def of_data(cls, data: Mapping[str, Any]) -> Letter:
        """From what JSON kept."""
        button, trace = data.get("button"), data.get("trace")
        return cls(
            **{
                **data,
                "paragraphs": tuple(data["paragraphs"]),
                "small": tuple(data["small"]),
                "cc": tuple(data.get("cc", ())),
                "sections": tuple(data.get("sections") or ()),
                "references": tuple(data.get("references", ())),
                "button": (button[0], button[1]) if button else None,
                "files": tuple((name, type_, content) for name, type_, content in data.get("files") or ()),
                "trace": Trace(**{**trace, "links": tuple(trace["links"])}) if trace else None,
                "attachments": tuple((id, name) for id, name in data.get("attachments") or ()),
            }
        )

    @property
    def words(self) -> str:
        """What it says, without what stands around it."""
        written = plain_text(self.html_body) if self.html_body and not self.body else self.body
        lines = [cells for _kind, cells in self.grid["lines"]] if self.grid is not None else []
        table = "\n".join(" | ".join(cell for cell in cells if cell) for cells in lines)
        said = [
            *([self.heading] if self.heading else []),
            *self.paragraphs,
            *([table] if table else []),
            *map(_section_text, self.sections),
        ]
        return written.strip() if written else "\n\n".join(said)

    @property
    def text(self) -> str:
        """The letter for readers of plain text."""
        parts = [self.words]
        if self.button is not None:
            parts.append(f"{self.button[0]}:\n{self.button[1]}")
        leaving = [f"{self.unsubscribe_words}:\n{self.unsubscribe}"] if self.unsubscribe else []
        return "\n\n".join([*parts, f"-- \n{self.sender}", *self.small, *leaving]) + "\n"

    @property
    def html(self) -> str:
        """The letter in our look."""
        written = self._written()
        if self.trace is not None and self.trace.click:
            written = _A.sub(self._by_way, written)
        page = _templates().get_template("letter.html")
        return page.render(letter=self, ink=_ink(self.color), written=Markup(written))

    @property
    def links(self) -> tuple[str, ...]:
        """Where the links in its words lead, each once."""
        return tuple(dict.fromkeys(unescape(found[2]) for found in _A.finditer(self._written())))

    def _written(self) -> str:
        return sanitise(self.html_body) if self.html_body else render_markdown(self.body) if self.body else ""

    def _by_way(self, found: re.Match[str]) -> str:
        """A link that leads by us: its address says which one it is, never where it leads."""
        assert self.trace is not None
        target = unescape(found[2])
        if target not in self.trace.links:
            return found[0]
        return f"{found[1]}{self.trace.click}/{self.trace.links.index(target)}{found[3]}"

    def message(self, account: Account, to: str, id: UUID, attached: Sequence[Attached] = ()) -> EmailMessage:
        """As it goes over the wire. The id of a letter stays the same however often it is tried."""
        message = EmailMessage()
        message["Subject"] = _line(self.subject)
        message["From"] = formataddr((_line(self.author), account.address)) if self.author else account.sender
        message["To"] = to
        if self.cc:
            message["Cc"] = ", ".join(_line(each) for each in self.cc)
        message["Date"] = formatdate()
        message["Message-ID"] = message_id(account, id)
        if not self.author:
            message["Auto-Submitted"] = "auto-generated"
        if answers := self.reply_to or account.reply_to or (account.sender if self.reply_token else ""):
            message["Reply-To"] = _line(answers if self.reply_to else with_token(answers, self.reply_token))
        if self.in_reply_to:
            message["In-Reply-To"] = _line(self.in_reply_to)
            message["References"] = " ".join(_line(each) for each in (*self.references, self.in_reply_to))
        self._let_leave(message, account)
        message.set_content(self.text)
        message.add_alternative(self.html, subtype="html")
        for file in attached:
            kind, _, subtype = file.type.partition("/")
            message.add_attachment(file.content, maintype=kind, subtype=subtype or "octet-stream", filename=file.name)
        return message

    def _let_leave(self, message: EmailMessage, account: Account) -> None:
        """The ways out that mail programs show: by one click (RFC 8058), or by a letter."""
        if not self.unsubscribe:
            return
        ways = [f"<{self.unsubscribe}>"] if self.unsubscribe.startswith("http") else []
        ways.append(f"<mailto:{parseaddr(account.reply_to or account.sender)[1]}?subject=unsubscribe>")
        message["List-Unsubscribe"] = ", ".join(ways)
        if len(ways) > 1:
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message["Precedence"] = "bulk"


def message_id(account: Account, id: UUID) -> str:
    """What a letter is called among all letters: answers name it."""
    return f"<{id}@{account.address.rpartition('@')[2] or 'localhost'}>"


def with_token(address: str, token: str) -> str:
    """An address with a token behind a plus; as it is where that would be longer than addresses may be."""
    name, mailbox = parseaddr(address)
    local, _at, domain = mailbox.rpartition("@")
    if not token or len(local) + 1 + len(token) > LONGEST_LOCAL:
        return address
    return formataddr((name, f"{local}+{token}@{domain}"))


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


def _section_text(section: Mapping[str, Any]) -> str:
    """A part of a letter for readers of plain text."""
    figures = [
        " · ".join(part for part in (f"{label}: {text}", change) if part)
        for label, text, change, _tone in section.get("figures", ())
    ]
    rows = [" | ".join(cell for cell in cells if cell) for _kind, cells in section.get("lines", ())]
    return "\n".join(part for part in (section.get("title", ""), *figures, *rows, section.get("note", "")) if part)
