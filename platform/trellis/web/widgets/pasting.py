"""Rows from a spreadsheet for a grid of lines: each cell read as people write it, and what is wrong with it."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import replace
from io import StringIO
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _

from trellis.formula.types import Ref, Value
from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.model.fields.base import Invalid
from trellis.records.refusal import Fault, Forbidden
from trellis.records.transfer.keys import Ambiguous, Links
from trellis.web.faults import fault_text
from trellis.web.lists.desk import lower_first
from trellis.web.widgets.base import widget_of
from trellis.web.widgets.bound import BoundField
from trellis.web.widgets.link import targets

if TYPE_CHECKING:
    from trellis.records.store import Store

MOST_ROWS = 500
MOST_CHARACTERS = 500_000


def cells_of(text: str) -> list[list[str]]:
    """The rows and cells of what a spreadsheet puts on the clipboard; empty rows at the end do not count."""
    rows = list(csv.reader(StringIO(text), delimiter="\t"))
    while rows and not any(cell.strip() for cell in rows[-1]):
        rows.pop()
    return rows


def by_heading(rows: list[list[str]], child: Entity, language: str, columns: Sequence[str]) -> list[str] | None:
    """The columns that a first row of headings names; None when it is a row like the others."""
    labels: dict[str, str] = {}
    for key in columns:
        labels[child.fields[key].label.in_language(language).casefold()] = key
        labels[key.casefold()] = key
    first = [cell.strip().casefold().removesuffix("*").strip() for cell in rows[0]] if rows else []
    if not first or not all(cell in labels for cell in first if cell) or not any(first):
        return None
    return [labels.get(cell, "") for cell in first]


def read_rows(
    store: Store, child: Entity, rows: Sequence[Sequence[str]], columns: Sequence[str], currency: str | None
) -> list[dict[str, dict[str, Any]]]:
    """Each row's cells by column: `fill`, the parts of the control's text, and `error` where one is wrong."""
    with store.transaction():
        links = Links(store.session)
        for row in rows:
            for key, text in zip(columns, row, strict=False):
                for target in targets(child.fields[key]) if key else ():
                    if text.strip():
                        links.wish(target, None, text.strip())
        links.prepare()
        return [
            {key: _cell(store, links, child, child.fields[key], text, currency) for key, text in _filled(columns, row)}
            for row in rows
        ]


def _filled(columns: Sequence[str], row: Sequence[str]) -> list[tuple[str, str]]:
    return [(key, text.strip()) for key, text in zip(columns, row, strict=False) if key]


def _cell(store: Store, links: Links, child: Entity, field: Field, text: str, currency: str | None) -> dict[str, Any]:
    reader = store.principal.reader
    bound = BoundField(store, child, field, compact=True)
    if not text:
        return {}
    try:
        if field.type.formula_type().kind == "record":
            value: Value = _record(store, links, child, field, text)
        else:
            own = replace(reader, currency=currency) if currency else reader
            value = _read(field, text, own)
        wrong = next(field.type.check(value), None) if value is not None else None
    except Invalid as invalid:
        value, wrong = None, invalid
    if wrong is not None:
        said = fault_text(Fault(wrong.code, wrong.message, params=wrong.params), reader.language)
        part = "amount" if field.type.name == "money" else ""
        return {"fill": {part: text}, "error": said}
    bound.value = value
    return {"fill": dict(widget_of(field).fill(bound))}


def _read(field: Field, text: str, reader: Any) -> Value:
    """A cell as the reader writes it; as programs do where that does not fit, with choices by their labels."""
    try:
        return field.type.parse(text, reader)
    except Invalid:
        return field.type.read_text(text, reader)


def _record(store: Store, links: Links, child: Entity, field: Field, text: str) -> Ref:
    """The record that a cell names, by its number or title."""
    for target in targets(field):
        try:
            found = links.ref(target, None, text)
        except (Ambiguous, Forbidden):
            found = None
        choices = store.pick(target, text, field=(child.key, field.key), limit=5) if store.may("read", target) else []
        same = [c for c in choices if found is not None and c.ref == found]
        same = same or [c for c in choices if (c.title or "").casefold() == text.casefold()]
        if len(same) == 1:
            return same[0].ref
        if len(choices) == 1 and found is None:
            return choices[0].ref
    label = lower_first(field.label.in_language(store.principal.reader.language))
    raise Invalid("link", _("No %(thing)s is called “%(value)s”.", thing=label, value=text[:60]))
