"""What a report is narrowed by beside its own params, in words: a number of a dashboard leads to it with filters."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from flask_babel import format_date

from trellis.records.reading.filtering import compile_filter
from trellis.records.refusal import Forbidden, Missing, Refused
from trellis.records.store import as_id
from trellis.reports.unions import texts_of
from trellis.web.cells.column import label_of, resolve
from trellis.web.filters.words import in_words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trellis.model.entity import Entity
    from trellis.model.reports.report import Report
    from trellis.records.store import Store

DAY = re.compile(r"date\s*\(\s*(\d{1,4})\s*,\s*(\d{1,2})\s*,\s*(\d{1,2})\s*\)")
RECORD = re.compile(r'([\w.]+)\.id == "([0-9a-fA-F-]{36})"')


def narrowed_words(store: Store, report: Report, filters: Iterable[str]) -> list[str]:
    """Each of the filters as a sentence; one that the reader may not ask says nothing."""
    found = []
    for text in filters:
        try:
            key, text = texts_of(store, report, text)[0]
            formula = compile_filter(store.session, key, text)
        except Refused:
            continue
        entity = store.tenant.model.entities[key]
        found.append(_of_record(store, entity, text) or DAY.sub(_day, in_words(store, entity, formula)))
    return found


def _of_record(store: Store, entity: Entity, text: str) -> str:
    """A comparison with one record, by its title."""
    match = RECORD.fullmatch(text.strip())
    model = store.tenant.model
    end = resolve(model, entity, match[1]) if match is not None else None
    targets = end[1].type.formula_type().entities if end is not None else ()
    if match is None or len(targets) != 1:
        return ""
    try:
        title = store.read(targets[0], as_id(match[2]), fields=()).title
    except (Missing, Forbidden):
        return ""
    language = store.principal.reader.language
    return f"{label_of(model, entity, match[1], language)} = {title}"


def _day(match: re.Match[str]) -> str:
    try:
        return str(format_date(date(int(match[1]), int(match[2]), int(match[3])), "medium"))
    except ValueError:
        return match[0]
