"""Cells for text in its forms: plain, long, links out, colours, codes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markupsafe import escape

from trellis.formula.types import Value
from trellis.web.cells.registry import CellContext, Render, cell

if TYPE_CHECKING:
    from trellis.model.field import Field

LONGEST = 200
MARKS = re.compile(r"<[^>]*>|[*_`#>~]+|\[([^\]]*)\]\([^)]*\)")
HEX = re.compile(r"#[0-9a-fA-F]{3,8}\Z")


@cell("text", "barcode", "sequence")
def text(field: Field, context: CellContext) -> Render:
    """One line, cut at the cell's edge."""

    def render(value: Value) -> str:
        return f'<bdi class="t-cut">{escape(value if type(value) is str else str(value))}</bdi>'

    return render


@cell("long_text", "rich_text", "markdown", "html", "code", "json")
def long_text(field: Field, context: CellContext) -> Render:
    """The beginning of a long text, without its markup."""
    display = context.display(field)

    def render(value: Value) -> str:
        raw = value if isinstance(value, str) else display(value)
        flat = " ".join(MARKS.sub(lambda m: m.group(1) or " ", raw[: LONGEST * 2]).split())[:LONGEST]
        return f'<bdi class="t-cut t-2nd">{escape(flat)}</bdi>'

    return render


def first_and_more(value: Value) -> tuple[str, int]:
    """The first of several e-mails or numbers, and how many more there are."""
    if isinstance(value, tuple):
        first = value[0] if value else ""
        return str(first["value"] if isinstance(first, dict) else first), len(value) - 1
    return str(value), 0


def more(count: int) -> str:
    """Says that there are more values than the one shown."""
    return f' <span class="t-3rd">+{count}</span>' if count > 0 else ""


@cell("email")
def email(field: Field, context: CellContext) -> Render:
    """An address that opens the mail program."""

    def render(value: Value) -> str:
        first, rest = first_and_more(value)
        shown = escape(first)
        return f'<a class="t-chiplink" href="mailto:{shown}"><bdi class="t-cut">{shown}</bdi></a>{more(rest)}'

    return render


@cell("phone")
def phone(field: Field, context: CellContext) -> Render:
    """A number that can be called."""
    display = context.display(field)

    def render(value: Value) -> str:
        first, rest = first_and_more(value)
        shown = escape(first if isinstance(value, tuple) else display(value))
        return (
            f'<a class="t-chiplink t-num" href="tel:{escape(first)}"><bdi class="t-cut">{shown}</bdi></a>{more(rest)}'
        )

    return render


@cell("url")
def url(field: Field, context: CellContext) -> Render:
    """A web address; anything but http(s) is shown as text."""

    def render(value: Value) -> str:
        shown = str(value)
        bare = escape(re.sub(r"^https?://(www\.)?", "", shown).rstrip("/"))
        if not shown.startswith(("http://", "https://")):
            return f'<bdi class="t-cut">{bare}</bdi>'
        href = escape(shown)
        target = 'target="_blank" rel="noopener noreferrer"'
        return f'<a class="t-chiplink" href="{href}" {target}><bdi class="t-cut">{bare}</bdi></a>'

    return render


@cell("list")
def items(field: Field, context: CellContext) -> Render:
    """Ordered texts, one after the other."""
    return lambda value: f'<bdi class="t-cut">{escape(", ".join(str(v) for v in value))}</bdi>'


@cell("color")
def color(field: Field, context: CellContext) -> Render:
    """A swatch with the colour's code."""

    def render(value: Value) -> str:
        shown = escape(str(value))
        if not HEX.match(str(value)):
            return f'<bdi class="t-cut">{shown}</bdi>'
        square = f'<rect width="16" height="16" rx="4" fill="{shown}"/>'
        swatch = f'<svg class="t-swatch" aria-hidden="true" viewBox="0 0 16 16">{square}</svg>'
        return f'<span class="t-cell">{swatch}<span class="t-cut">{shown}</span></span>'

    return render


@cell("secret")
def secret(field: Field, context: CellContext) -> Render:
    """Says that there is a value, not which."""
    return lambda value: '<span class="t-3rd">••••••</span>'
