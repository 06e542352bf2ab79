"""Loading a layer's `data/`: seed with every install, demo on request."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as dc_field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from trellis.config.reader import read_yaml
from trellis.formula.env import NO_GRAPH, Env
from trellis.formula.formula import Formula, FormulaError, compile_formula
from trellis.formula.types import NUMBER, Type, Value
from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.model.fields.base import Invalid
from trellis.records.reading.scope import ReaderScope
from trellis.records.refusal import Fault, Forbidden, Missing, Refused
from trellis.records.transfer.importer import Importer, RowOutcome
from trellis.records.transfer.keys import Links
from trellis.records.transfer.mapping import LINKS, BadMapping, Column, ImportMap, columns_of
from trellis.records.transfer.reading import read_table
from trellis.records.transfer.rows import Row

if TYPE_CHECKING:
    from trellis.model.model import Model
    from trellis.records.access.permit import Permit
    from trellis.records.store import Store

BATCH = 500
Which = Literal["seed", "demo"]


@dataclass(frozen=True)
class DataFile:
    """One file of data: the entity is its name."""

    path: Path
    entity: str
    header: tuple[str, ...]
    rows: tuple[tuple[int, Sequence[Any]], ...]


@dataclass
class LoadReport:
    """What was loaded: records by entity, and what could not be."""

    created: Counter[str] = dc_field(default_factory=Counter)
    skipped: Counter[str] = dc_field(default_factory=Counter)
    failures: list[str] = dc_field(default_factory=list)

    def __str__(self) -> str:
        failed = f", {len(self.failures)} failed" if self.failures else ""
        return f"{self.created.total()} records created, {self.skipped.total()} were there{failed}"


@dataclass(frozen=True)
class _Later:
    """A link to a record that was not there yet."""

    where: str
    entity: str
    id: Any
    column: Column
    text: str

    @property
    def named(self) -> list[tuple[str, str]]:
        """The records that it names: entity and text."""
        return [(entity, text) for entity, _, text in (part.partition(":") for part in self.text.split("; "))]


def data_files(folders: Sequence[Path], which: Which) -> list[DataFile]:
    """The data files of layers' folders. Raises BadMapping with every file that cannot be read."""
    found, problems = [], []
    for folder in folders:
        for path in sorted((folder / "data" / which).glob("*")):
            try:
                if path.suffix.lower() in (".yaml", ".yml"):
                    found.append(_from_yaml(path))
                elif path.suffix.lower() == ".csv":
                    table = read_table(path.read_bytes())
                    found.append(DataFile(path, path.stem, table.header, tuple(table.rows())))
            except (OSError, ValueError) as fault:
                problems.append(f"{path}: {fault}")
    if problems:
        raise BadMapping(problems)
    return found


def _from_yaml(path: Path) -> DataFile:
    content = read_yaml(path.read_bytes(), str(path))
    if content.problems:
        raise ValueError("; ".join(f"{p.mark}: {p.message}" for p in content.problems))
    records = [item for data, _ in content.documents for item in (data if isinstance(data, list) else [data])]
    if not all(isinstance(record, dict) for record in records):
        raise ValueError("expected a list of records")
    header = tuple(dict.fromkeys(str(key) for record in records for key in record))
    rows = tuple((at, [record.get(name) for name in header]) for at, record in enumerate(records, 1))
    return DataFile(path, path.stem, header, rows)


def load_data(
    store: Store, folders: Sequence[Path], which: Which, *, on_file: Callable[[Path, int], None] | None = None
) -> LoadReport:
    """Load the `data/<which>/` of layers' folders, the undermost first, in one transaction: all of it or nothing.

    A record that is there (by id or natural key) is left alone, so that loading again does no harm. A cell that begins
    with `=` is a formula. Links may point at records that come later, in the same file or another. Rows that are
    refused are told in the report; a file that fits no entity raises BadMapping before anything is written.
    """
    files = data_files(folders, which)
    report = LoadReport()
    links = Links(store.session)
    evaluate = _Formulas(store)
    given = ImportMap(on_existing="skip")
    importers: list[tuple[DataFile, Importer]] = []
    entities = store.session.model.entities
    problems = [f"{f.path}: there is no entity '{f.entity}'" for f in files if f.entity not in entities]
    for file in _in_order(store, [f for f in files if f.entity in entities]):
        entity = entities[file.entity]
        try:
            columns = columns_of(store.session, entity, file.header, given)
        except BadMapping as fault:
            problems += [f"{file.path}: {problem}" for problem in fault.problems]
            continue
        options = {"defer": True, "evaluate": evaluate}
        # What has no key is known by everything that the file says of it; demo data may hold two of a kind.
        keyless = which == "seed" and not Importer.own_key(entity, columns)
        match = replace(given, match=_plain_fields(entity, columns)) if keyless else given
        importer = Importer(store, entity, columns, match, links=links, reader=options, match_blanks=keyless)
        importers.append((file, importer))
    if problems:
        raise BadMapping(problems)
    with store.transaction():
        waiting: list[_Later] = []
        for file, importer in importers:
            waiting += _load(file, importer, report, on_file)
            waiting = _link_later(store, links, waiting, report)  # what follows may depend on it
        for later, missing in _missing(links, waiting):
            report.failures.append(f"{later.where}: {later.column.field}: “{missing}” names no record.")
    return report


_COMPARED = frozenset({"text", "number", "money", "boolean", "date", "datetime", "time", "record", "name", "address"})


def _plain_fields(entity: Entity, columns: Sequence[Column]) -> tuple[str, ...]:
    fields = [entity.fields[column.field] for column in columns if column.field != "id"]
    return tuple(f.key for f in fields if f.is_stored and f.type.formula_type().kind in _COMPARED)


def _load(
    file: DataFile, importer: Importer, report: LoadReport, on_file: Callable[[Path, int], None] | None
) -> Iterator[_Later]:
    for start in range(0, len(file.rows), BATCH):
        outcomes, rows = importer.take_rows(file.rows[start : start + BATCH])
        for outcome, row in zip(outcomes, rows, strict=True):
            if outcome.status == "failed" and row.later:
                outcome = replace(outcome, faults=_unfound(row, outcome.faults))
            _count(file, outcome, report)
            if outcome.status == "created":
                for column, text in row.later.values():
                    yield _Later(f"{file.path}:{row.line}", file.entity, outcome.id, column, text)
    if on_file is not None:
        on_file(file.path, len(file.rows))


def _unfound(row: Row, faults: tuple[Fault, ...]) -> tuple[Fault, ...]:
    """A required link that could not be made yet: what is missing is the record that it names."""
    message = "“{value}” names no record."
    named = [Fault("link", message, f, {"value": text.partition(":")[2][:60]}) for f, (_, text) in row.later.items()]
    return (*named, *(fault for fault in faults if fault.field not in row.later))


def _count(file: DataFile, outcome: RowOutcome, report: LoadReport) -> None:
    if outcome.status == "failed":
        report.failures.append(f"{file.path}:{outcome.line}: {outcome.message}")
    else:
        (report.created if outcome.status == "created" else report.skipped)[file.entity] += 1


def _link_later(store: Store, links: Links, waiting: Sequence[_Later], report: LoadReport) -> list[_Later]:
    """Make the links whose records have come, one update for each record; those that wait still are given back."""
    for later in waiting:
        for entity, text in later.named:
            links.wish(entity, later.column.via, text)
    links.prepare()
    left: list[_Later] = []
    changes: dict[tuple[str, Any], dict[str, Value]] = {}
    places: dict[tuple[str, Any], str] = {}
    for later in waiting:
        refs = [links.ref(entity, later.column.via, text) for entity, text in later.named]
        if not all(refs):
            left.append(later)
            continue
        field = store.session.entity(later.entity).fields[later.column.field]
        value = tuple(refs) if field.type.formula_type().kind == "records" else refs[0]
        changes.setdefault((later.entity, later.id), {})[field.key] = value
        places[later.entity, later.id] = later.where
    for (entity, id), values in changes.items():
        try:
            store.change(entity, id, values, means="import")
        except (Refused, Missing, Forbidden) as error:
            report.failures.append(f"{places[entity, id]}: {error}")
    return left


def _missing(links: Links, waiting: Sequence[_Later]) -> Iterator[tuple[_Later, str]]:
    """The links that nothing came for, with the first name that is none."""
    for later in waiting:
        yield later, next(text for entity, text in later.named if links.ref(entity, later.column.via, text) is None)


def _in_order(store: Store, files: Sequence[DataFile]) -> list[DataFile]:
    """The files so that links point backwards where that is possible; where it is not, in the order of their names."""
    entities = store.session.model.entities
    given = {file.entity for file in files}
    left = sorted(files, key=lambda file: _rank(file.entity))
    done: set[str] = set()
    ordered: list[DataFile] = []
    while left:
        ready = [f for f in left if _needs(entities[f.entity].fields.values(), f, given) <= done]
        nexts = ready or [min(left, key=lambda f: (_required(entities, f, given - done), _rank(f.entity)))]
        for file in nexts:
            ordered.append(file)
            left.remove(file)
        done |= {file.entity for file in nexts if not any(other.entity == file.entity for other in left)}
    return ordered


def _rank(entity: str) -> tuple[int, str]:
    """People first: everything has an owner."""
    return ({"team": 0, "user": 1}.get(entity, 2), entity)


def _needs(fields: Any, file: DataFile, given: set[str]) -> set[str]:
    """The other entities with data that the file's links point to."""
    names = {name.partition(".")[0] for name in file.header}
    targets: set[str] = set()
    for field in fields:
        kind = field.type.formula_type()
        if field.key in names and kind.kind in LINKS:
            targets |= set(kind.entities) or _mentioned(file, field)
    return (targets & given) - {file.entity}


def _mentioned(file: DataFile, field: Field) -> set[str]:
    """The entities that the cells of a link to anything name."""
    places = [at for at, name in enumerate(file.header) if name.partition(".")[0] == field.key]
    return {
        str(cells[at]).partition(":")[0] for _, cells in file.rows for at in places if at < len(cells) and cells[at]
    }


def _required(entities: Any, file: DataFile, open: set[str]) -> int:
    """How many required links of the file point to entities that are not loaded yet."""
    fields = entities[file.entity].fields.values()
    return sum(1 for f in fields if f.required and _needs([f], file, open))


# a text is left alone, and so is a number that is part of a word or of a longer number
_WHOLE = re.compile(r"""("[^"]*"|'[^']*')|(?<![\w.])(\d{1,9})(?![\w.])""")


class _Formulas:
    """Computes the cells that are formulas; each formula once, as all rows are loaded at the same moment.

    `=today() - 12` and `=today() - 90` are one formula of one number: reading a formula takes longer than computing it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, Value] = {}
        self._shapes: dict[str, Formula | None] = {}

    def __call__(self, source: str, field: Field | None) -> Value:
        if source not in self._known:
            self._known[source] = self._compute(source)
        return self._known[source]

    def _compute(self, source: str) -> Value:
        numbers: dict[str, Value] = {}

        def name(match: re.Match[str]) -> str:
            if match[1]:
                return match[1]
            key = f"n{len(numbers)}"
            numbers[key] = int(match[2])
            return key

        shape = _WHOLE.sub(name, source)
        if shape not in self._shapes:
            try:
                self._shapes[shape] = self._compile(shape, numbers)
            except FormulaError:
                self._shapes[shape] = None  # a number must stand there as it is, or something else is wrong
        formula = self._shapes[shape]
        if formula is None:
            numbers = {}
            try:
                formula = self._compile(source, numbers)
            except FormulaError as error:
                raise Invalid("formula", "This is no formula: {reason}.", reason=error.faults[0].message) from error
        return formula.evaluate(Env(_Nothing(), self._store.session.reader, NO_GRAPH, variables=numbers))

    def _compile(self, source: str, numbers: Mapping[str, Value]) -> Formula:
        session = self._store.session
        return compile_formula(source, _NumbersScope(session.model, session.permit, frozenset(numbers)))


class _NumbersScope(ReaderScope):
    """What a formula outside any record may name, and numbers."""

    def __init__(self, model: Model, permit: Permit, numbers: frozenset[str]) -> None:
        super().__init__(model, None, permit)
        self._numbers = numbers

    def name(self, name: str) -> Type | None:
        """A number, or what else has a name without a record."""
        return NUMBER if name in self._numbers else super().name(name)


class _Nothing:
    """What a formula outside any record reads."""

    entity = ""
    id = None

    def get(self, name: str) -> Value:
        """Blank."""
        return None
