"""Looking back: the lists of parts and of links with what they keep, as they were, beside what they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from markupsafe import Markup

from trellis.formula.types import Ref, Value
from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.records.reading.catalog import link_columns
from trellis.records.reading.pointing import link_values
from trellis.records.record import Record
from trellis.records.store import Store
from trellis.records.versions.past import PastRecord
from trellis.web.cells.registry import CellContext, renderer
from trellis.web.navigation import entity_address

BLANKS: tuple[Any, ...] = (None, "", ())


@dataclass(frozen=True)
class Table:
    """A list of parts as it was."""

    key: str
    label: Any
    heads: list[str]
    rows: list[tuple[list[Markup], str]]  # the cells, and what is different about the row today
    differs: bool
    may_restore: bool


def is_closed(field: Field) -> bool:
    """Whether nobody gives the field a value by hand."""
    return field.readonly != "never" or not field.is_writable or field.type.name in ("sequence", "secret")


def is_same(field: Field, then: Value, now: Value) -> bool:
    """Whether two values of a field mean the same."""
    if then in BLANKS or now in BLANKS:
        return then in BLANKS and now in BLANKS
    return bool(field.type.same(then, now))


def drawn(field: Field, context: CellContext, value: Value) -> Markup:
    """A value as a cell shows it."""
    if value in BLANKS:
        return Markup('<span class="t-3rd">–</span>')
    if field.type.widget in ("long_text", "rich_text", "code", "json"):
        return Markup('<span class="t-past-text" dir="auto">{}</span>').format(
            field.type.display(value, context.reader)
        )
    return Markup(renderer(field, context)(value))


def part_tables(store: Store, entity: Entity, record: Record, past: PastRecord) -> list[Table]:
    """The lists of parts as they were, beside what they are."""
    language, found = store.principal.reader.language, []
    may_restore = store.may("update", entity.key, record)
    for name, rows in past.lines.items():
        inverse = entity.inverses[name]
        part = store.tenant.model.entities[inverse.entity]
        context = CellContext(store.principal.reader, store.tenant.model, part, entity_address)
        shown = [p.field for s in (part.form.sections if part.form else ()) for p in s.fields] or list(part.fields)
        keys = [k for k in shown if k != part.parent_field and any(row.get(k) not in BLANKS for row in rows)]
        heads = [part.fields[k].label.in_language(language) for k in keys]
        today = {line.id: line for line in store.lines(entity.key, record.id, name)} if not record.deleted_at else {}
        told = [_difference(part, row, today) for row in rows]
        cells = [[drawn(part.fields[k], context, row.get(k)) for k in keys] for row in rows]
        differs = any(told) or len(today) != len(rows)
        if rows or differs:
            label = inverse.label.in_language(language)
            found.append(Table(name, label, heads, list(zip(cells, told, strict=True)), differs, may_restore))
    return found


def link_tables(store: Store, entity: Entity, record: Record, past: PastRecord) -> list[Table]:
    """Links with what they kept, beside what they keep."""
    reader, found = store.principal.reader, []
    context = CellContext(reader, store.tenant.model, entity, entity_address)
    may_restore = store.may("update", entity.key, record)
    writable = store.writable_fields(entity.key)
    for name, kept in past.kept.items():
        field, columns = entity.fields[name], link_columns(entity.fields[name])
        refs: Sequence[Ref] = past[name] or ()
        today = {ref.id: ref for ref in record.get(name) or ()}
        now = link_values(store, entity.key, name, record.ref, list(today), from_owner=True) if today else {}
        told = [_kept_difference(kept.get(ref.id, {}), now.get(ref.id), columns) for ref in refs]
        differs = any(told) or len(today) != len(refs)
        if refs or differs:
            target = store.tenant.model.entities[field.type.formula_type().entities[0]]
            labels = [target.label, *(column.label for column in columns.values())]
            heads = [label.in_language(reader.language) for label in labels]
            cells = [
                [
                    drawn(field, context, (ref,)),
                    *(drawn(c, context, kept.get(ref.id, {}).get(k)) for k, c in columns.items()),
                ]
                for ref in refs
            ]
            is_open = may_restore and name in writable and not is_closed(field)
            label = field.label.in_language(reader.language)
            found.append(Table(name, label, heads, list(zip(cells, told, strict=True)), differs, is_open))
    return found


def _kept_difference(then: Mapping[str, Value], now: Mapping[str, Value] | None, columns: Mapping[str, Field]) -> str:
    """What has become of a link since."""
    if now is None:
        return str(_("gone today"))
    stayed = all(is_same(column, then.get(key), now.get(key)) for key, column in columns.items())
    return "" if stayed else str(_("different today"))


def _difference(part: Entity, row: Mapping[str, Value], today: Mapping[Any, Record]) -> str:
    """What has become of a row since."""
    now = today.get(row.get("id"))
    if now is None:
        return str(_("gone today"))
    own = (key for key in row if key in part.fields and key in now and key != "position")
    stayed = all(is_same(part.fields[key], row[key], now[key]) for key in own)
    return "" if stayed else str(_("different today"))
