"""A `document:` document: a paper that is made from a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dc_field

from trellis.formula.formula import Formula
from trellis.model.automation.steps import NOTHING
from trellis.model.given import Given
from trellis.model.text import Text


@dataclass(frozen=True)
class DocumentTemplate:
    """A paper: Jinja in HTML, or in Markdown. `into` is the field of the record that keeps what is made."""

    key: str
    entity: str
    label: Text
    body: str
    is_markdown: bool = False
    name: str = ""
    header: str = ""
    footer: str = ""
    style: str = ""
    paper: str = "A4"
    landscape: bool = False
    margins: Mapping[str, str] = dc_field(default_factory=dict)
    language: Given = NOTHING
    when: Formula | None = None
    roles: tuple[str, ...] = ()
    into: str = ""
    texts: Mapping[str, Text] = dc_field(default_factory=dict)
    labels: tuple[str, ...] = ()  # the paths that the template asks labels of
