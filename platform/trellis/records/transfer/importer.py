"""Import: rows of a table as records, created or brought up to date, each with its own outcome."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as dc_field
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from sqlalchemy.exc import DBAPIError

from trellis.formula.types import Value
from trellis.model.entity import Entity
from trellis.records.draft import Draft
from trellis.records.refusal import Fault, Forbidden, Missing, Refused
from trellis.records.transfer.keys import Links, comparable, find_rows
from trellis.records.transfer.mapping import Column, ImportMap, columns_of
from trellis.records.transfer.rows import Row, RowReader
from trellis.records.writing import linked, write

if TYPE_CHECKING:
    from trellis.records.store import Store
    from trellis.records.transfer.reading import Table

BATCH = 500
Status = Literal["created", "updated", "skipped", "failed"]
STATUSES: tuple[Status, ...] = ("created", "updated", "skipped", "failed")


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """What became of a row: `line` is where it begins in the file."""

    line: int
    status: Status
    id: UUID | None = None
    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()  # what was done all the same: it looks like another record
    may_wait: bool = False  # it names records of its own entity that are not there yet: later rows may bring them

    @property
    def message(self) -> str:
        """Why it failed, or what to look at, in English."""
        told = self.faults or self.warnings
        return "; ".join(f"{fault.field}: {fault}" if fault.field else str(fault) for fault in told)


@dataclass
class ImportSummary:
    """How many rows were created, updated, skipped (equal, or to be left alone) and failed."""

    counts: Counter[str] = dc_field(default_factory=Counter)
    failures: list[RowOutcome] = dc_field(default_factory=list)  # the first of them
    alike: int = 0  # rows that were taken, but look like another record
    batch: UUID | None = None  # what undoes the import; None when nothing was written

    @property
    def rows(self) -> int:
        """How many rows there were."""
        return self.counts.total()

    def add(self, outcome: RowOutcome) -> None:
        """Count a row."""
        self.counts[outcome.status] += 1
        self.alike += bool(outcome.warnings)
        if outcome.status == "failed" and len(self.failures) < 100:
            self.failures.append(outcome)

    def __str__(self) -> str:
        parts = ", ".join(f"{self.counts[status]} {status}" for status in STATUSES)
        alike = f"; {self.alike} of them look like another record" if self.alike else ""
        return f"{self.rows} rows: {parts}{alike}"


class _Undo(Exception):
    """Ends a dry run: everything it did is rolled back."""


def import_table(
    store: Store,
    entity: str,
    table: Table,
    given: ImportMap | None = None,
    *,
    dry_run: bool = False,
    batch: int = BATCH,
    on_outcome: Callable[[RowOutcome], None] | None = None,
) -> ImportSummary:
    """Import a table. Raises BadMapping before anything is written, Forbidden when the person may not import.

    Each batch is a transaction of its own (a dry run is one that is rolled back), each row a savepoint: a bad row
    loses only itself. Running it again changes nothing, if rows have an id or a natural key.
    """
    given = given or ImportMap()
    require_import(store, entity)
    store = _door(store, given)
    summary = ImportSummary()

    def tell(outcome: RowOutcome) -> None:
        summary.add(outcome)
        if on_outcome is not None:
            on_outcome(outcome)

    def run() -> None:
        definition = store.session.entity(entity)
        importer = Importer(store, definition, columns_of(store.session, definition, table.header, given), given)
        for outcome in importer.take_all(table.rows(), batch):
            tell(outcome)

    if not dry_run:
        with store.batch("import", entity) as made:
            run()
        if summary.counts["created"] or summary.counts["updated"]:
            summary.batch = made.id
        return summary
    store.session.is_trial = True
    try:
        with store.transaction():
            run()
            raise _Undo
    except _Undo:
        return summary
    finally:
        store.session.is_trial = False


def _door(store: Store, given: ImportMap) -> Store:
    """The same door for this import alone: for whose numbers and dates, and whether workflows hear of it."""
    if not given.language and not given.automation:
        return store
    session, principal = store.session, store.session.principal
    if given.language:
        principal = replace(principal, reader=replace(session.reader, language=given.language))
    made = type(store)(session.tenant, principal, hooks=session.hooks, cause=session.cause)
    made.session.import_is_heard = given.automation
    return made


def require_import(store: Store, entity: str) -> None:
    """Refuse somebody who may not import this entity."""
    session = store.session
    definition = session.entity(entity)
    if session.principal.is_system:
        return
    if not definition.features.import_ or not session.permit.may("import", entity):
        raise Forbidden(entity, "import")


class Importer:
    """Takes rows in batches. `links` may be shared between importers, so that what one made the next one finds."""

    def __init__(
        self,
        store: Store,
        entity: Entity,
        columns: Sequence[Column],
        given: ImportMap,
        *,
        links: Links | None = None,
        reader: Mapping[str, Any] | None = None,
        match_blanks: bool = False,
    ) -> None:
        self.store, self.session, self.entity, self.columns, self.given = store, store.session, entity, columns, given
        self.links = links or Links(self.session)
        self.reader = RowReader(
            self.session, entity, columns, self.links, **{"neutral": given.language is None, **(reader or {})}
        )
        self.match = given.match or self.own_key(entity, columns)
        self.match_blanks = match_blanks
        self.paths = [c.field for c in columns if c.field != "id"]

    @staticmethod
    def own_key(entity: Entity, columns: Sequence[Column]) -> tuple[str, ...]:
        """What finds a record when nobody says: the natural key, a `unique:` group or field, if the file has it."""
        fields = {column.field for column in columns}
        if entity.natural_key in fields:
            return (entity.natural_key,) if entity.natural_key else ()
        alone = ((field.key,) for field in entity.fields.values() if field.unique and field.is_stored)
        groups = [*(unique.fields for unique in entity.uniques), *alone]
        return next((group for group in groups if fields.issuperset(group)), ())

    def take_all(self, rows: Iterator[tuple[int, Sequence[Any]]], size: int = BATCH) -> Iterator[RowOutcome]:
        """Import rows, each batch in a transaction; those that name later rows come when these are there."""
        waiting: list[tuple[int, Sequence[Any]]] = []
        while part := list(islice(rows, size)):
            for source, outcome in zip(part, self._commit(part), strict=True):
                if outcome.may_wait:
                    waiting.append(source)
                else:
                    yield outcome
        while waiting:
            before, waiting, refused = waiting, [], []
            for start in range(0, len(before), size):
                part = before[start : start + size]
                for source, outcome in zip(part, self._commit(part), strict=True):
                    if outcome.may_wait:
                        waiting.append(source)
                        refused.append(outcome)
                    else:
                        yield outcome
            if len(waiting) == len(before):
                yield from refused
                return

    def _commit(self, part: Sequence[tuple[int, Sequence[Any]]]) -> list[RowOutcome]:
        with self.store.transaction():
            return self.take_rows(part)[0]

    def take_rows(self, batch: Sequence[tuple[int, Sequence[Any]]]) -> tuple[list[RowOutcome], list[Row]]:
        """Import some rows, in the open transaction; the outcomes, and the rows as they were read."""
        rows = self.reader.read(batch)
        outcomes: dict[int, RowOutcome] = {
            id(row): RowOutcome(row.line, "failed", None, tuple(row.faults), may_wait=self._may_wait(row))
            for row in rows
            if row.faults
        }
        left = [row for row in rows if not row.faults]
        done: dict[Any, RowOutcome] = {}
        while left:
            now, later = self._without_repeats(left)
            for row, outcome in self._save(now):
                outcomes[id(row)] = outcome
                done[self._identity(row)] = outcome
            left = [row for row in later if not self._is_left_alone(row, done[self._identity(row)], outcomes)]
        return [outcomes[id(row)] for row in rows], rows

    def _may_wait(self, row: Row) -> bool:
        return self.entity.key in row.unfound and all(fault.code == "link" for fault in row.faults)

    def _without_repeats(self, rows: list[Row]) -> tuple[list[Row], list[Row]]:
        """Rows of different records, and those that must wait because an earlier row is of the same one."""
        seen: set[Any] = set()
        now: list[Row] = []
        later: list[Row] = []
        for row in rows:
            key = self._identity(row)
            (later if key is not None and key in seen else now).append(row)
            seen.add(key)
        return now, later

    def _identity(self, row: Row) -> Any:
        return row.values.get("id") or self._key(row)

    def _is_left_alone(self, row: Row, before: RowOutcome, outcomes: dict[int, RowOutcome]) -> bool:
        """Whether a repeated row is skipped without looking: its record is there, and is not to be updated."""
        if self.given.on_existing != "skip" or before.id is None:
            return False
        outcomes[id(row)] = RowOutcome(row.line, "skipped", before.id)
        return True

    def _key(self, row: Row) -> tuple[Any, ...] | None:
        """The values that find the row's record; None when one is blank, unless blanks match as well."""
        if not self.match:
            return None
        key = tuple(comparable(self.entity, name, row.values.get(name)) for name in self.match)
        return None if not self.match_blanks and any(part is None for part in key) else key

    def _stored(self, rows: Sequence[Row]) -> dict[int, list[dict[str, Value]]]:
        """The records that are there already, by row."""
        entity, found = self.entity.key, {}
        ids = {row.values["id"].id for row in rows if "id" in row.values}
        by_id = find_rows(self.session, entity, "id", ids, self.paths) if ids else {}
        keys = {key for row in rows if "id" not in row.values and (key := self._key(row)) is not None}
        by_key: dict[tuple[Any, ...], list[dict[str, Value]]] = {}
        if keys:
            first = (
                find_rows(self.session, entity, "id", None, self.paths)
                if self.match_blanks
                else find_rows(self.session, entity, self.match[0], {key[0] for key in keys}, self.paths)
            )
            for value, stored in ((value, record) for value, records in first.items() for record in records):
                own = tuple(comparable(self.entity, name, stored[name]) for name in self.match)
                key = own if self.match_blanks else (value, *own[1:])  # of a merged record: the value it was known by
                by_key.setdefault(key, []).append(stored)
        for row in rows:
            key = self._key(row)
            found[id(row)] = (
                by_id.get(row.values["id"].id, []) if "id" in row.values else by_key.get(key, []) if key else []
            )
        return found

    def _save(self, rows: Sequence[Row]) -> Iterator[tuple[Row, RowOutcome]]:
        stored = self._stored(rows)
        new = []
        for row in rows:
            records = stored[id(row)]
            if len(records) > 1:
                fault = Fault("match", "Several records have this key.", self.match[0] if self.match else None)
                yield row, RowOutcome(row.line, "failed", None, (fault,))
            elif records:
                yield row, self._update(row, records[0])
            else:
                new.append(row)
        yield from self._create(new)

    # ── records that are there ───────────────────────────────────────────────────────────────────────────

    def _update(self, row: Row, stored: dict[str, Value]) -> RowOutcome:
        id = stored["id"]
        if self.given.on_existing == "skip":
            return RowOutcome(row.line, "skipped", id)
        found_by = () if "id" in row.values else self.match  # an old key finds the record, and does not replace its own
        wanted = {name: value for name, value in row.values.items() if name != "id" and name not in found_by}
        if self.given.blank == "clear":
            wanted |= dict.fromkeys(name for name in row.blanks if name != "id")
        fields = self.entity.fields
        changes = {name: value for name, value in wanted.items() if not fields[name].type.same(value, stored[name])}
        for name in row.kept:
            if name in changes or linked.keeps_otherwise(self.session, self.entity, name, id, row.links(name)):
                changes[name] = row.links(name)
        if not changes:
            return RowOutcome(row.line, "skipped", id)
        try:
            warnings = self.store.change(self.entity.key, id, changes, means="import")
        except (Refused, Missing, Forbidden, DBAPIError) as error:
            return RowOutcome(row.line, "failed", id, _faults(error))
        return RowOutcome(row.line, "updated", id, warnings=warnings)

    # ── new records ──────────────────────────────────────────────────────────────────────────────────────

    def _create(self, rows: Sequence[Row]) -> Iterator[tuple[Row, RowOutcome]]:
        """All of them in one go; if the database or the whole refuses, one by one."""
        if not rows:
            return
        try:
            yield from self._create_together(rows)
        except (Refused, Forbidden, DBAPIError) as error:
            if len(rows) == 1:
                yield rows[0], RowOutcome(rows[0].line, "failed", None, _faults(error))
                return
            for row in rows:
                yield from self._create([row])

    def _create_together(self, rows: Sequence[Row]) -> list[tuple[Row, RowOutcome]]:
        ids = [row.values["id"].id if "id" in row.values else None for row in rows]
        with self.session.write(self.entity.key):
            drafts = self._drafts(rows, ids)
            good = [draft for draft in drafts if not draft.all_faults()]
            if good:
                write.store_new(self.session, good)
        outcomes = []
        for row, draft in zip(rows, drafts, strict=True):
            if faults := tuple(draft.all_faults()):
                outcomes.append((row, RowOutcome(row.line, "failed", None, faults)))
            else:
                warnings = tuple(draft.warnings)
                outcomes.append((row, RowOutcome(row.line, "created", draft.record.id, warnings=warnings)))
        return outcomes

    def _drafts(self, rows: Sequence[Row], ids: Sequence[UUID | None]) -> list[Draft]:
        """New records in the rows' order: those that bring their ids, and those that get one."""
        given = [
            {name: row.links(name) if name in row.kept else value for name, value in row.values.items() if name != "id"}
            for row in rows
        ]
        made: dict[int, Draft] = {}
        for has_id in (True, False):
            places = [at for at, id in enumerate(ids) if (id is not None) == has_id]
            if places:
                known = [id for id in ids if id is not None] if has_id else None
                drafts = write.create_drafts(
                    self.session, self.entity.key, [given[at] for at in places], means="import", ids=known
                )
                made.update(zip(places, drafts, strict=True))
        return [made[at] for at in range(len(rows))]


def _faults(error: Exception) -> tuple[Fault, ...]:
    """What to tell about a row that the door, or the database, refused."""
    if isinstance(error, Refused):
        return error.faults
    if isinstance(error, (Missing, Forbidden)):
        return (Fault("forbidden", "You may not do this with the record."),)
    reason = str(getattr(error, "orig", None) or error).partition("\n")[0].replace("{", "{{").replace("}", "}}")
    return (Fault("database", reason),)
