"""Records for a preview: the company's own as far as their table has the fields already, else some that are made up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from trellis.formula.types import Money, Ref, Value
from trellis.records.record import Record, Shape
from trellis.studio.preview.changed import same
from trellis.web.cells.column import resolve
from trellis.web.filters.fields import Sight

if TYPE_CHECKING:
    from trellis.formula.reader import Reader
    from trellis.model.entity import Entity
    from trellis.model.field import Field
    from trellis.model.model import Model
    from trellis.records.store import Store

MADE = 4
AMOUNTS = (Decimal(1200), Decimal(350), Decimal(48), Decimal(7))
TEXTS = {
    "email": "ana@example.com",
    "phone": "+44 20 7946 0018",
    "url": "https://example.com",
    "color": "#0f766e",
    "currency": "EUR",
}


def records_for(
    live: Store, model: Model, reader: Reader, entity: Entity, paths: Sequence[str], limit: int, within: str = ""
) -> list[Record]:
    """Records to draw: what is live where there is any, with new fields blank; else a few that are made up.

    `within`: a condition that the live records meet.
    """
    found = _live_records(live, model, entity, paths, limit, within)
    if found or (within and not is_made_up(live, model, entity)):
        return found
    return _made_records(model, reader, entity, paths)


def is_made_up(live: Store, model: Model, entity: Entity) -> bool:
    """Whether there is no record of the company's own to show."""
    return not _live_records(live, model, entity, (), 1)


def _live_records(
    live: Store, model: Model, entity: Entity, paths: Sequence[str], limit: int, within: str = ""
) -> list[Record]:
    now = live_entity(live.tenant.model, entity)
    if now is None or not live.may("read", now.key):
        return []
    sight = Sight(live)
    known = {path: there for path in paths if (there := live_path(live.tenant.model, now, model, entity, path))}
    known = {path: there for path, there in known.items() if sight.path(now, there)}
    rows = live.list(
        now.key, columns=list(dict.fromkeys(known.values())), limit=limit, where=[within] if within else []
    ).rows
    return [_record(entity, r.id, r.title, {p: r[known[p]] if p in known else None for p in paths}) for r in rows]


def live_entity(model: Model, entity: Entity) -> Entity | None:
    """What the entity is live, under its old name if it gets another one."""
    return model.entities.get(entity.key) or model.entities.get(entity.was or "")


def live_path(live: Model, now: Entity, draft: Model, entity: Entity, path: str) -> str | None:
    """The path that holds the same kind of value today; None where there is none, or where it is computed otherwise."""
    first, _dot, rest = path.partition(".")
    field = entity.fields.get(first)
    if field is None:
        return None
    old = now.fields.get(first) or now.fields.get(field.was or "")
    if old is None or not _holds_the_same(old, field):
        return None
    if not rest:
        return old.key
    for key in field.type.formula_type().entities:
        target, before = draft.entities.get(key), None
        before = live_entity(live, target) if target is not None else None
        if target is not None and before is not None and (found := live_path(live, before, draft, target, rest)):
            return f"{old.key}.{found}"
    return None


def _holds_the_same(old: Field, new: Field) -> bool:
    kinds = old.type.name == new.type.name and old.type.formula_type().kind == new.type.formula_type().kind
    return kinds and same(old.formula, new.formula) and same(old.rollup, new.rollup)


def _made_records(model: Model, reader: Reader, entity: Entity, paths: Sequence[str]) -> list[Record]:
    found = []
    for number in range(MADE):
        values: dict[str, Value] = {}
        for path in paths:
            at = resolve(model, entity, path)
            values[path] = _made(model, reader, at[1], number) if at is not None else None
        title = f"{entity.label.in_language(reader.language)} {number + 1}"
        found.append(_record(entity, UUID(int=number + 1), title, values))
    return found


def _made(model: Model, reader: Reader, field: Field, number: int) -> Value:
    """A value such as the field will hold."""
    type_: Any = field.type
    options = [one.key for one in type_.options()] if callable(getattr(type_, "options", None)) else []
    seen = type_.formula_type()
    if options:
        value = options[number % len(options)]
        return (value,) if seen.kind == "list" else value
    return _BY_KIND[seen.kind](model, reader, field, number) if seen.kind in _BY_KIND else None


def _text(_model: Model, reader: Reader, field: Field, number: int) -> Value:
    return TEXTS.get(field.type.name) or f"{field.label.in_language(reader.language)} {number + 1}"


def _linked(model: Model, reader: Reader, field: Field, number: int) -> Value:
    entities = field.type.formula_type().entities
    if reader.me is not None and reader.me.entity in entities:
        return reader.me
    target = model.entities.get(entities[0]) if entities else None
    return target and Ref(target.key, UUID(int=number + 1), f"{target.label.in_language(reader.language)} {number + 1}")


_BY_KIND: dict[str, Callable[[Model, Reader, Field, int], Value]] = {
    "text": _text,
    "record": _linked,
    "name": lambda _m, r, f, n: {"first": f.label.in_language(r.language), "last": str(n + 1)},
    "number": lambda _m, _r, _f, n: AMOUNTS[n] if n < 3 else Decimal(3),
    "money": lambda _m, r, _f, n: Money(AMOUNTS[n], r.currency, AMOUNTS[n]),
    "boolean": lambda _m, _r, _f, n: n % 2 == 0,
    "date": lambda _m, r, _f, n: r.today() + timedelta(days=7 * n),
    "datetime": lambda _m, r, _f, n: r.now - timedelta(hours=5 * n),
    "time": lambda _m, _r, _f, n: time(9 + n, 30),
    "duration": lambda _m, _r, _f, n: timedelta(hours=n + 1),
}


def _record(entity: Entity, id: UUID, title: str, values: dict[str, Value]) -> Record:
    shape = Shape(entity.key, {}, 0, 1, lambda row: row[3], 2)
    row: tuple[UUID, int, datetime | None, str] = (id, 1, None, title)
    return Record(shape, row, dict(values))
