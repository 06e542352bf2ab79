"""Markdown and HTML that people write, as HTML that is safe to show."""

from __future__ import annotations

import html
import re
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt

_TAGS = frozenset(
    "a b blockquote br code del div em h1 h2 h3 h4 h5 h6 hr i img ins li mark ol p pre s span strong sub sup"
    " table tbody td th thead tr u ul".split()
)
_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title", "width", "height"},
    "td": {"colspan", "rowspan", "align"},
    "th": {"colspan", "rowspan", "align", "scope"},
    "ol": {"start"},
    "code": {"class"},
}
_SCHEMES = {"http", "https", "mailto", "tel"}
_BREAKS = re.compile(r"<(?:br|/p|/div|/li|/h[1-6]|/tr|hr|/pre|/blockquote)\b[^>]*>", re.IGNORECASE)
_LANGUAGE = re.compile(r"language-[\w+#.-]{1,40}")
_LONGEST_CACHED = 20_000


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])


def _kept(tag: str, name: str, value: str) -> str | None:
    """Of classes only the name of a language: any other one would be of our own look."""
    return value if name != "class" or _LANGUAGE.fullmatch(value) else None


def sanitise(markup: str) -> str:
    """HTML with only harmless tags, attributes and addresses left."""
    return nh3.clean(
        markup,
        tags=set(_TAGS),
        attributes=_ATTRIBUTES,
        attribute_filter=_kept,
        url_schemes=_SCHEMES,
        link_rel="noopener nofollow",
    )


def plain_text(markup: str) -> str:
    """The text of some HTML: for searching, for a cell, for plain mail."""
    bare = nh3.clean(_BREAKS.sub("\n", markup), tags=set(), clean_content_tags={"script", "style"})
    return re.sub(r"[ \t]*\n\s*", "\n", html.unescape(bare)).strip()


@lru_cache(maxsize=2000)
def _render(text: str) -> str:
    return sanitise(_markdown().render(text))


def render_markdown(text: str) -> str:
    """Markdown as safe HTML; raw HTML in it is shown as text."""
    return _render(text) if len(text) <= _LONGEST_CACHED else sanitise(_markdown().render(text))


def markdown_text(text: str) -> str:
    """The words of some Markdown without its marks."""
    return plain_text(render_markdown(text))
