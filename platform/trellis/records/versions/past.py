"""A record as it was at a past moment: today's values with the history's changes taken back, the latest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from trellis.formula.formula import Formula
from trellis.formula.types import Ref, Value
from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.model.fields.base import Invalid
from trellis.records import faults
from trellis.records.access.masking import mask
from trellis.records.graph import LiveRecord, StoreGraph, settle, title_of
from trellis.records.pools import standing
from trellis.records.reading import query, shown
from trellis.records.reading.catalog import link_columns
from trellis.records.reading.filtering import readable_fields
from trellis.records.record import Record
from trellis.records.refusal import Missing, Refused
from trellis.records.versions import history, keeping
from trellis.records.versions.keeping import Kept
from trellis.records.writing import lines, linked
from trellis.storage.names import short

if TYPE_CHECKING:
    from trellis.records.session import Session

KEPT_ELSEWHERE = frozenset({"id", "created_at", "created_by"})  # never change
OF_NOW = frozenset({"updated_at", "updated_by", "deleted_by", "search", "position"})  # no history tells them


class PastRecord(Record):
    """A record as it was. `unknown`: fields whose values of the time are kept nowhere; they read as blank."""

    __slots__ = ("_deleted_at", "_title", "_version", "as_of", "kept", "lines", "unknown")

    def __init__(
        self,
        today: Record,
        values: dict[str, Value],
        *,
        as_of: datetime,
        title: str,
        version: int,
        deleted_at: datetime | None,
        unknown: frozenset[str],
        lines: Mapping[str, Sequence[Mapping[str, Value]]],
        kept: Mapping[str, Kept],
    ) -> None:
        super().__init__(today._shape, today._row, values)
        self.kept = kept  # what the links of each many-to-many with columns kept, by the far end
        self.as_of = as_of
        self.unknown = unknown
        self.lines = lines  # the rows of each list of parts, by list
        self._title = title
        self._version = version
        self._deleted_at = deleted_at

    @property
    def title(self) -> str:
        """What named the record then."""
        return self._title

    @property
    def version(self) -> int:
        """Which save it was."""
        return self._version

    @property
    def deleted_at(self) -> datetime | None:
        """When it had gone to the bin; None if it was live."""
        return self._deleted_at


def read(
    session: Session, entity: str, id: UUID, as_of: datetime, *, fields: Sequence[str] | None = None
) -> PastRecord:
    """The record at the moment, with what this person may see today; Missing where it was not there yet."""
    today = query.read(session, entity, id, fields=None, deleted=True)
    definition = session.model.entities[entity]
    wanted = readable_fields(session, entity) if fields is None else fields
    if concealed := [name for name in wanted if session.permit.hides(entity, name)]:
        raise Refused([faults.unknown_field(session, entity, name) for name in concealed])
    rebuilt = _Rebuilt(session.at(as_of), definition, id, as_of)
    values: dict[str, Value] = {}
    unknown = set()
    modes = session.permit.modes(entity)
    covered = standing.hidden_now(session, entity, id)
    for name in wanted:
        field = definition.fields.get(name)
        if field is None or name in covered:
            unknown.add(name)
            values[name] = None
            continue
        if not rebuilt.knows(field):
            unknown.add(name)
            values[name] = None
            continue
        value = rebuilt.value(field)
        values[name] = mask(field.type, value) if modes.get(name) == "masked" else value
    parts = {name: rebuilt.rows(name) for name in rebuilt.lists if not session.permit.hides(entity, name)}
    _name_links(session, [values, *(row for rows in parts.values() for row in rows)])
    title = today.title
    if definition.title_field in values and definition.title_field not in unknown:
        title = title if modes.get(definition.title_field) is not None else title_of(rebuilt.record)
    return PastRecord(
        today,
        values,
        as_of=as_of,
        title=title,
        version=rebuilt.version,
        deleted_at=rebuilt.deleted_at,
        unknown=frozenset(unknown),
        lines=parts,
        kept={name: kept for name, kept in rebuilt.kept.items() if name in values and modes.get(name) is None},
    )


def _name_links(session: Session, rows: Iterable[dict[str, Value]]) -> None:
    """Give links today's titles, as far as this person may read their targets."""
    every = list(rows)
    refs = [ref for row in every for value in row.values() for ref in history.refs_of(value)]
    titles = shown.titles(session, refs)

    def named(value: Value) -> Value:
        if isinstance(value, Ref):
            return Ref(value.entity, value.id, titles.get((value.entity, value.id)))
        if isinstance(value, tuple) and value and isinstance(value[0], Ref):
            return tuple(named(ref) for ref in value)
        return value

    for row in every:
        for name, value in row.items():
            row[name] = named(value)


class _Rebuilt:
    """The record of the moment, with the system's eyes."""

    def __init__(self, session: Session, definition: Entity, id: UUID, as_of: datetime) -> None:
        self.session = session
        self.entity = definition
        self.as_of = as_of
        self.graph = StoreGraph(session)
        [stored] = self.graph.load(definition.key, [id])
        self.record = stored.copy()
        self.graph.put(self.record)
        self.kept: dict[str, Kept] = {
            field.key: linked.stored_columns(session, definition, field, id)
            for field in definition.many_to_many
            if link_columns(field)
        }
        self.version = stored.version
        self.deleted_at: datetime | None = stored.value("deleted_at")
        self.lost: set[str] = set()
        self.lists: dict[str, list[LiveRecord]] = {}
        self._derived: dict[str, bool] = {}
        born = stored.value("created_at")
        if born is not None and born > as_of:
            raise Missing(f"{definition.key} {id} was not there yet")
        entries = _entries(session, definition.key, [id], as_of)
        self._parts(stored, entries)
        for entry in entries:
            self._take_back(entry)
        if entries:
            self.lost |= {f.key for f in definition.fields.values() if not f.audit and f.key not in KEPT_ELSEWHERE}
        self.lost |= OF_NOW & definition.fields.keys() if entries else set()
        self.record.forget_derived()

    def _take_back(self, entry: Mapping[Any, Any]) -> None:
        kind = entry["kind"]
        if kind in ("create", "created"):
            raise Missing(f"{self.entity.key} {self.record.id} was not there yet")
        if kind == "delete":
            self.deleted_at = None
        elif kind == "restore":
            self.deleted_at = entry["at"]  # when exactly it had gone is not kept; that it was gone is
        if entry["version"]:
            self.version = entry["version"] - 1
        for path, old, new in entry["changes"] or []:
            if kind in ("link", "unlink"):
                self._relink(path, old, new)
            elif path in self.entity.fields:
                self._set(self.record, path, old, self.lost)
            elif (place := keeping.place_of(self.entity, path)) is not None:
                self._keep(*place, old)

    def _keep(self, name: str, id: UUID, column: str, raw: Any) -> None:
        """What a link kept; a value that its column no longer takes is blank."""
        try:
            value = keeping.parsed(self.session, self.entity, name, column, raw)
        except (Invalid, ValueError, TypeError, KeyError):
            value = None
        self.kept[name].setdefault(id, {})[column] = value

    def _set(self, record: LiveRecord, name: str, raw: Any, lost: set[str]) -> None:
        field = record.definition.fields.get(name)
        if field is None or field.is_derived:
            return
        if raw == history.SECRET:
            lost.add(name)
            return
        try:
            record.set(name, None if raw is None else field.type.parse(raw, self.session.reader))
            lost.discard(name)
        except (Invalid, ValueError, TypeError, KeyError):
            lost.add(name)  # the field is another one since

    def _relink(self, name: str, old: Any, new: Any) -> None:
        """A link that was made was not there before; one that was taken away was."""
        if name not in self.entity.fields:
            return
        now: tuple[Ref, ...] = self.record.value(name) or ()
        for told in new or []:
            now = tuple(ref for ref in now if str(ref.id) != told["id"])
        for told in old or []:
            ref = Ref(told["entity"], UUID(told["id"]))
            now += (ref,)
            for column, value in (told.get("kept") or {}).items():
                if keeping.place_of(self.entity, f"{name}.{ref.id}.{column}"):
                    self._keep(name, ref.id, column, value)
        self.record.set(name, now)

    # ── parts ────────────────────────────────────────────────────────────────────────────────────────────────

    def _parts(self, stored: LiveRecord, entries: Sequence[Mapping[Any, Any]]) -> None:
        for inverse in lines.part_lists(self.session, self.entity):
            part = self.session.model.entities[inverse.entity]
            table = self.session.table(part.key)
            mine = sa.select(table.c.id, table.c.deleted_at).where(table.c[short(inverse.field)] == stored.id)
            every: Sequence[Any] = self.session.execute(mine).all()
            found: dict[UUID, Any] = {row[0]: row[1] for row in every}
            rows = {r.id: r.copy() for r in self.graph.load(part.key, list(found))}
            there = {id for id, gone in found.items() if gone is None or gone == self.deleted_at}
            own = _entries(self.session, part.key, list(found), self.as_of)
            for entry in sorted([*entries, *own], key=lambda e: -e["id"]):
                if entry["record"] == stored.id:
                    _take_lines_back(self, inverse.name, entry, rows, there)
                elif entry["record"] in rows:
                    _take_line_back(self, entry, rows[entry["record"]], there)
            kept = [rows[id] for id in there if id in rows]
            kept.sort(key=lambda r: (r.value("position") if r.value("position") is not None else 0, r.id))
            for row in kept:
                self.graph.put(row)
            self.lists[inverse.name] = kept
            self.record.lists[inverse.name] = kept

    def rows(self, name: str) -> list[dict[str, Value]]:
        """The rows of a list of parts, with what the person may see."""
        found = []
        for row in self.lists[name]:
            modes = self.session.permit.modes(row.entity)
            values: dict[str, Value] = {"id": row.id}
            for key in readable_fields(self.session, row.entity):
                field = row.definition.fields[key]
                if field.system or (field.is_derived and not self._is_own(row.definition, field)):
                    continue
                value = row.value(key)
                values[key] = mask(field.type, value) if modes.get(key) == "masked" else value
            found.append(values)
        return found

    # ── what is known ────────────────────────────────────────────────────────────────────────────────────────

    def knows(self, field: Field) -> bool:
        """Whether the field's value of the time can be told."""
        if field.key in self.lost:
            return False
        return not field.is_derived or self._is_own(self.entity, field)

    def _is_own(self, entity: Entity, field: Field) -> bool:
        """Whether a derived field follows from the record's own values and its parts alone."""
        key = f"{entity.key}.{field.key}"
        if key not in self._derived:
            self._derived[key] = False  # while it is being found out
            formula = field.formula or field.rollup
            self._derived[key] = formula is not None and all(
                self._is_own_path(entity, path) for path in _paths(formula)
            )
        return self._derived[key]

    def _is_own_path(self, entity: Entity, path: tuple[str, ...]) -> bool:
        head, rest = path[0], path[1:]
        if head in ("this", "setting"):
            return head == "setting" or not rest or self._is_own_path(self.entity, rest)
        if entity.key == self.entity.key and head in self.lists:
            part = self.session.model.entities[entity.inverses[head].entity]
            return not rest or self._is_own_path(part, rest)
        field = entity.fields.get(head)
        if field is None or (entity.key == self.entity.key and head in self.lost):
            return False
        kind = field.type.formula_type().kind
        if rest and kind in ("record", "records"):
            return False
        return not field.is_derived or self._is_own(entity, field)

    def value(self, field: Field) -> Value:
        """The value of the time."""
        if field.rollup is not None:
            from trellis.records.deriving.standpoint import as_tenant

            with as_tenant(self.session):
                return settle(field, field.rollup.evaluate(self.record.env()))
        if field.key == "version":
            return self.version
        if field.key == "deleted_at":
            return self.deleted_at
        return self.record.value(field.key)


def _paths(formula: Formula) -> Iterable[tuple[str, ...]]:
    return [path for path in formula.reads if path]


def _take_lines_back(
    rebuilt: _Rebuilt, name: str, entry: Mapping[Any, Any], rows: Mapping[UUID, LiveRecord], there: set[UUID]
) -> None:
    """Undo what an entry of the parent tells of its rows."""
    for path, old, new in entry["changes"] or []:
        head, _dot, rest = path.partition(".")
        if head != name or not rest:
            continue
        key, _dot, field = rest.partition(".")
        row = rows.get(_uuid(key))
        if row is None:
            continue  # deleted for good
        if field:
            rebuilt._set(row, field, old, set())
        elif old is None:
            there.discard(row.id)
        elif new is None:
            there.add(row.id)


def _take_line_back(rebuilt: _Rebuilt, entry: Mapping[Any, Any], row: LiveRecord, there: set[UUID]) -> None:
    """Undo what a row's own entry tells."""
    kind = entry["kind"]
    if kind in ("create", "restore"):
        there.discard(row.id)
    elif kind == "delete":
        there.add(row.id)
    for path, old, _new in entry["changes"] or []:
        rebuilt._set(row, path, old, set())


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


def _entries(session: Session, entity: str, ids: Sequence[UUID], as_of: datetime) -> list[Mapping[Any, Any]]:
    """What was written into the records' history after the moment, the latest first."""
    if not ids:
        return []
    table = session.tables.platform.history
    statement = sa.select(table).where(table.c.entity == entity, table.c.record.in_(list(ids)), table.c.at > as_of)
    return [dict(row) for row in session.execute(statement.order_by(table.c.id.desc())).mappings()]


def give_back(
    session: Session, entity: str, id: UUID, as_of: datetime, names: Sequence[str], version: int | None
) -> int:
    """Give fields and lists of parts what they were at the moment: a save with every rule; how many could be told."""
    from trellis.records.deriving import rollups
    from trellis.records.versions import relining
    from trellis.records.writing import write

    past = read(session, entity, id, as_of)
    draft = write.open_for_update(session, entity, id, means="page")
    given: dict[str, Any] = {n: past[n] for n in names if n in past and n not in past.unknown}
    for name in given.keys() & past.kept.keys():
        columns = dict.fromkeys(link_columns(draft.entity.fields[name]))
        kept = {ref.id: {**columns, **past.kept[name].get(ref.id, {})} for ref in given[name] or ()}
        given[name] = keeping.as_given(given[name] or (), kept)
    came: dict[str, list[UUID]] = {}
    for name in names:
        if name in past.lines:
            rows, came[name] = relining.as_they_were(session, draft, name, past.lines[name])
            given |= rows
    write.prepare(session, draft, given)
    if version is not None and version != draft.record.version:
        write.refuse_stale(session, draft)
    write.check_all(session, [draft])
    write.refuse([draft])
    write.store_changed(session, [draft])
    for name, ids in came.items():
        rollups.after_membership(session, draft.entity.inverses[name].entity, ids)
    return len(given)
