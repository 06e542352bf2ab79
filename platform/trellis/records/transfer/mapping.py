"""How a file's columns become fields: what a mapping file says, and what the header says by itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dc_field
from typing import TYPE_CHECKING, Any, Literal

from trellis.config.problem import did_you_mean
from trellis.config.reader import read_yaml
from trellis.model.choice import fold
from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.model.text import Text
from trellis.records.reading.catalog import link_columns

if TYPE_CHECKING:
    from trellis.records.session import Session

LINKS = frozenset({"record", "records"})


class BadMapping(ValueError):
    """A mapping, or a header, that names what is not there. `problems` says everything that is wrong."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, kw_only=True)
class ImportMap:
    """What a mapping file says.

    columns: {Kunde: account.code, Notiz: null}     a header's field (or a link by a unique field), null leaves it out
    set: {channel: web, number: "C-{row}"}          values for every row; {Header} and {row} are filled in
    match: [number]                                 the fields that find a record that is there
    on_existing: update | skip                      what becomes of it
    blank: keep | clear                             what an empty cell does to a record that is there
    language: de                                    whose numbers and dates the file holds; without it, the neutral ones
    automation: true                                the records set workflows off, as those made by hand do
    encoding, delimiter, header: [a, b]             of a file that does not say so itself
    """

    columns: Mapping[str, str | None] = dc_field(default_factory=dict)
    set: Mapping[str, str] = dc_field(default_factory=dict)
    match: tuple[str, ...] = ()
    on_existing: Literal["update", "skip"] = "update"
    blank: Literal["keep", "clear"] = "keep"
    language: str | None = None
    automation: bool = False
    encoding: str | None = None
    delimiter: str | None = None
    header: tuple[str, ...] | None = None


def read_mapping(text: str | bytes, file: str) -> ImportMap:
    """A mapping from YAML. Raises BadMapping with every problem."""
    content = read_yaml(text, file)
    if content.problems:
        raise BadMapping([f"{p.mark}: {p.message}" for p in content.problems])
    data = content.documents[0][0] if content.documents else {}
    if not isinstance(data, dict):
        raise BadMapping([f"{file}: expected a mapping with columns:, set:, match:, …"])
    problems: list[str] = []
    given: dict[str, Any] = {}
    for key, value in data.items():
        reader = _READERS.get(str(key))
        if reader is None:
            hint = did_you_mean(str(key), _READERS)
            problems.append(f"{file}: unknown key '{key}'" + (f" ({hint})" if hint else ""))
            continue
        try:
            given[str(key)] = reader(value)
        except (TypeError, ValueError) as fault:
            problems.append(f"{file}: {key}: {fault}")
    if problems:
        raise BadMapping(problems)
    return ImportMap(**given)


def _pairs(value: Any) -> dict[str, str | None]:
    if not isinstance(value, dict):
        raise TypeError("expected a mapping")
    return {str(key): None if item is None else str(item) for key, item in value.items()}


def _texts(value: Any) -> dict[str, str]:
    return {key: item or "" for key, item in _pairs(value).items()}


def _names(value: Any) -> tuple[str, ...]:
    return (str(value),) if not isinstance(value, (list, tuple)) else tuple(str(item) for item in value)


def _one_of(*allowed: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in allowed:
            raise ValueError(f"expected {' or '.join(allowed)}")
        return str(value)

    return read


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("expected true or false")
    return value


def _delimiter(value: Any) -> str:
    mark = {"tab": "\t", "space": " ", "comma": ",", "semicolon": ";"}.get(str(value), str(value))
    if len(mark) != 1:
        raise ValueError("expected one character, or tab or space")
    return mark


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "columns": _pairs,
    "set": _texts,
    "match": _names,
    "on_existing": _one_of("update", "skip"),
    "blank": _one_of("keep", "clear"),
    "language": str,
    "automation": _flag,
    "encoding": str,
    "delimiter": _delimiter,
    "header": _names,
}


@dataclass(frozen=True)
class Column:
    """Where a value comes from and goes to. `via` is the field by which a link's record is found."""

    name: str  # as the file calls it
    field: str  # a field's key, or "id"
    read: Callable[[Sequence[Any], int], Any]
    via: str | None = None
    kept: str | None = None  # what the links of a many-to-many keep: `contacts.part`


def columns_of(session: Session, entity: Entity, header: Sequence[str], given: ImportMap) -> list[Column]:
    """The columns of a file that become fields. Raises BadMapping with everything that does not fit."""
    finder = FieldFinder(session, entity)
    problems: list[str] = []
    found: list[Column] = []
    for name in given.columns.keys() - set(header):
        problems.append(f"the file has no column '{name}'" + _hint(name, header))
    plain = {place[0] for name in header if name and (place := finder.find(name)) is not None and place[1] is None}
    for index, name in enumerate(header):
        target = given.columns.get(name, name) if name else None
        if target is None or (target in given.set and name not in given.columns):
            continue
        if (kept := finder.kept(target)) is not None and kept[0] in plain:
            found.append(Column(name, kept[0], _cell(index), kept=kept[1]))
            continue
        if finder.is_far(target) and (finder.find(target) or ("",))[0] in {"", *plain}:
            continue  # what an export tells of a linked record; the link itself says which one it is
        place = finder.find(target, exactly=name in given.columns)
        if place is None:
            problems.append(f"column '{name}': {entity.key} has no field '{target}'" + _hint(target, finder.names()))
        elif place[0] == "id" or not _is_computed(entity.fields[place[0]], by_system=session.principal.is_system):
            found.append(Column(name, place[0], _cell(index), place[1]))
    for target, template in given.set.items():
        place = finder.find(target, exactly=True)
        if place is None:
            problems.append(f"set: {entity.key} has no field '{target}'" + _hint(target, finder.names()))
        else:
            found.append(Column(target, place[0], _filled(template, header, problems), place[1]))
    for name in given.match:
        if name not in {column.field for column in found}:
            problems.append(f"match: no column gives the field '{name}'")
    places = [c.field for c in found if c.kept is None]
    twice = [field for i, field in enumerate(places) if field in places[:i]]
    problems += [f"two columns give the field '{name}'" for name in dict.fromkeys(twice)]
    if problems:
        raise BadMapping(problems)
    return found


def _is_computed(field: Field, *, by_system: bool) -> bool:
    if field.is_derived or not field.system:
        return field.is_derived
    # of what the platform gives, people may say where a line stands; stages since when, and clocks, are not theirs
    return field.key in _PLATFORM - _BIRTH if by_system else field.key != "position"


# Loading a layer's data tells when, and by whom, a record came to be.
_BIRTH = frozenset(("created_at", "created_by"))
# What only the platform writes: an export holds it, an import leaves it alone.
_PLATFORM = frozenset("created_at created_by updated_at updated_by deleted_at deleted_by version".split())


def _hint(wrong: str, known: Sequence[str]) -> str:
    hint = did_you_mean(wrong, known)
    return f" ({hint})" if hint else ""


def _cell(index: int) -> Callable[[Sequence[Any], int], Any]:
    return lambda cells, row: cells[index] if index < len(cells) else ""


def _filled(template: str, header: Sequence[str], problems: list[str]) -> Callable[[Sequence[Any], int], Any]:
    places = {name: index for index, name in enumerate(header)}
    for name in re.findall(r"\{([^{}]*)\}", template):
        if name not in places and name != "row":
            problems.append(f"set: the file has no column '{name}'" + _hint(name, header))

    def fill(cells: Sequence[Any], row: int) -> str:
        def value(match: re.Match[str]) -> str:
            name = match[1]
            if name == "row" and name not in places:
                return str(row)
            return str(cells[places[name]]).strip() if places[name] < len(cells) else ""

        return re.sub(r"\{([^{}]*)\}", value, template)

    return fill


class FieldFinder:
    """Finds the field that a header means: by key, by label in any language, a link by its target's field."""

    def __init__(self, session: Session, entity: Entity) -> None:
        self.session, self.entity = session, entity
        hidden = {key for key, mode in session.permit.modes(entity.key).items() if mode == "hidden"}
        self.fields = {key: field for key, field in entity.fields.items() if key not in hidden}
        self.labels: dict[str, str] = {}
        for key, field in self.fields.items():
            for label in _labels(field.label):
                self.labels.setdefault(fold(label), key)

    def names(self) -> list[str]:
        """Every field's key."""
        return list(self.fields)

    def find(self, name: str, *, exactly: bool = False) -> tuple[str, str | None] | None:
        """The field's key, and for a link the field of its target that the cells hold."""
        if name == "id" or (not exactly and name.strip().lower() == "id"):
            return "id", None
        if (key := self._key(name)) is not None:
            return key, None
        head, dot, tail = name.rpartition(".")
        key = self._key(head) if dot else None
        if key is None:
            return None
        kind = self.fields[key].type.formula_type()
        if kind.kind not in LINKS or len(kind.entities) != 1:
            return None
        target = FieldFinder(self.session, self.session.entity(kind.entities[0]))
        via = "id" if tail == "id" else target._key(tail)
        return None if via is None else (key, via)

    def kept(self, name: str) -> tuple[str, str] | None:
        """A many-to-many field and one of the columns that its links keep, by keys or by labels."""
        steps = _steps(name)
        field = self.fields.get(self._key(steps[0]) or "") if len(steps) == 2 else None
        for key, column in (link_columns(field) if field is not None else {}).items():
            if field is not None and (steps[1] == key or fold(steps[1]) in map(fold, _labels(column.label))):
                return field.key, key
        return None

    def is_far(self, name: str) -> bool:
        """Whether the name leads over a link to a field of another record."""
        steps = _steps(name)
        field = self.fields.get(self._key(steps[0]) or "") if len(steps) > 1 else None
        targets = field.type.formula_type().entities if field is not None else ()
        if field is None or field.type.formula_type().kind != "record" or len(targets) != 1:
            return False
        far = FieldFinder(self.session, self.session.entity(targets[0]))
        rest = " · ".join(steps[1:])
        return far._key(rest) is not None or far.is_far(rest)

    def _key(self, name: str) -> str | None:
        name = name.strip()
        return name if name in self.fields else self.labels.get(fold(name))


def _steps(name: str) -> list[str]:
    """The steps of a path: `account.industry`, or as an export for people writes it, `Account · Industry`."""
    return [step.strip() for step in name.split(" · " if " · " in name else ".")]


def _labels(label: Text) -> Iterator[str]:
    yield label.source
    yield from label.translations.values()
