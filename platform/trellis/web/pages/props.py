"""Fields as the record page shows them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
from flask import render_template
from flask_babel import gettext as _
from markupsafe import Markup, escape

from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.model.markup import render_markdown, sanitise
from trellis.records.record import Record
from trellis.web.i18n import locale_name, lower_first


class Words(NamedTuple):
    """What the editor of a field is called: beside its value, before it, and in place of one."""

    edit: Markup
    before: Markup
    unset: Markup


@lru_cache(maxsize=4096)
def _words(_locale: str, label: str, inside: str) -> Words:
    """Said once for each field: a page has thirty of them."""
    return Words(
        escape(_("Edit %(field)s", field=label)),
        escape(_("Edit %(field)s:", field=label)),
        escape(_("Set %(field)s", field=inside)),
    )


@dataclass(frozen=True)
class Prop:
    """A field as the record page shows it; `edit` is the address of its editor, empty when it cannot be edited."""

    field: Field
    html: Markup
    edit: str = ""
    is_empty: bool = False
    label: str = ""  # in the reader's language

    @property
    def words(self) -> Words:
        """What its editor is called."""
        return _words(locale_name(), self.label, lower_first(self.label))

    @property
    def has_links(self) -> bool:
        """Whether there is something to follow or paragraphs in it, so that the whole of it cannot be one button."""
        return "<a " in self.html or "<p" in self.html


@dataclass(frozen=True)
class PropSection:
    """A section of the form, to read."""

    key: str
    label: Any
    props: list[Prop]
    tab: str = ""


def shown_value(entity: Entity, record: Record, field: Field, value: Any) -> Markup | None:
    """What the record page shows at more length than a list: prose, files, source code."""
    kind = field.type.widget
    if kind == "long_text":
        return Markup('<div class="t-prose" dir="auto">{}</div>').format(Markup(render_markdown(value)))
    if kind == "rich_text":
        return Markup('<div class="t-prose" dir="auto">{}</div>').format(Markup(sanitise(value)))
    if kind in ("code", "json"):
        return Markup('<pre class="t-code" dir="ltr">{}</pre>').format(
            value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
        )
    if kind in ("file", "image", "signature"):
        return Markup(render_template("_files.html", entity=entity, record=record, field=field, files=value))
    return None
