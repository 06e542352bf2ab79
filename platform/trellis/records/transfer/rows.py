"""A file's rows as values: cells read by their fields' types, links looked up a batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from dataclasses import field as dc_field
from typing import TYPE_CHECKING, Any

from trellis.formula.types import Value
from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.model.fields.base import Invalid, blank
from trellis.model.fields.registry import FIELD_TYPES
from trellis.records.reading.catalog import link_columns
from trellis.records.refusal import Fault
from trellis.records.transfer.keys import Ambiguous, Links, link_texts
from trellis.records.transfer.mapping import LINKS, Column
from trellis.records.transfer.neutral import unguard

if TYPE_CHECKING:
    from trellis.records.session import Session

# Reads a cell that is a formula; None leaves such cells alone.
Evaluate = Callable[[str, Field | None], Any]


def _named(raw: Any) -> list[str]:
    """The texts of a link's cell that name records; none when it holds references already."""
    items = raw if isinstance(raw, (list, tuple)) else [raw]
    return [str(item) for item in items] if all(isinstance(item, (str, int)) for item in items) else []


@dataclass
class Row:
    """One row on its way: what it says, by field; what is blank; what is wrong; links that name nobody yet."""

    line: int
    values: dict[str, Value] = dc_field(default_factory=dict)
    blanks: list[str] = dc_field(default_factory=list)
    faults: list[Fault] = dc_field(default_factory=list)
    later: dict[str, tuple[Column, str]] = dc_field(default_factory=dict)
    kept: dict[str, dict[str, list[Value]]] = dc_field(default_factory=dict)  # with links, in their order
    unfound: set[str] = dc_field(default_factory=set)  # entities of which a link names nobody

    def links(self, name: str) -> Any:
        """The value of a links field with what each link keeps."""
        refs, kept = self.values.get(name) or (), self.kept[name]
        parts = [{key: values[at] for key, values in kept.items() if at < len(values)} for at in range(len(refs))]
        return tuple({"entity": r.entity, "id": r.id, **part} for r, part in zip(refs, parts, strict=True))

    def refuse(self, column: Column, error: Invalid) -> None:
        """Note that a cell is wrong."""
        self.faults.append(Fault(error.code, error.message, column.field, error.params))


class RowReader:
    """Reads a batch of rows. `neutral`: numbers and dates are written as programs do, else by the reader's language."""

    def __init__(
        self,
        session: Session,
        entity: Entity,
        columns: Sequence[Column],
        links: Links,
        *,
        neutral: bool = True,
        defer: bool = False,
        evaluate: Evaluate | None = None,
    ) -> None:
        self.session, self.entity, self.columns, self.links = session, entity, columns, links
        self.neutral, self.defer, self.evaluate = neutral, defer, evaluate

    def read(self, batch: Iterable[tuple[int, Sequence[Any]]]) -> list[Row]:
        """The rows of a batch."""
        found = []
        named: list[tuple[Row, Column, list[tuple[str, str]]]] = []
        for line, cells in batch:
            row = Row(line)
            found.append(row)
            for column in self.columns:
                try:
                    if (pairs := self._cell(row, column, column.read(cells, line))) is not None:
                        named.append((row, column, pairs))
                except Invalid as error:
                    row.refuse(column, error)
        for _row, column, pairs in named:
            for entity, text in pairs:
                self.links.wish(entity, column.via, text)
        self.links.prepare()
        for row, column, pairs in named:
            self._link(row, column, pairs)
        return found

    def _cell(self, row: Row, column: Column, raw: Any) -> list[tuple[str, str]] | None:
        """Take a cell; a link's is given back as the records that it names."""
        field = None if column.field == "id" else self.entity.fields[column.field]
        if isinstance(raw, str):
            if self.evaluate is not None and raw.startswith("=") and not raw.startswith("=="):
                raw = self.evaluate(raw[1:], field)
            else:
                raw = unguard(raw)
        if column.kept is not None and field is not None:
            self._keep(row, column, field, raw)
            return None
        if blank(raw):
            row.blanks.append(column.field)
            return None
        if field is None:
            row.values["id"] = FIELD_TYPES["any_link"]().parse(
                {"id": raw, "entity": self.entity.key}, self.session.reader
            )
        elif field.type.formula_type().kind in LINKS and (texts := _named(raw)):
            kind = field.type.formula_type()
            several, entities = kind.kind == "records", self.session.model.entities
            return [pair for text in texts for pair in link_texts(kind.entities, several, text, entities)]
        elif isinstance(raw, str):
            row.values[column.field] = field.type.read_cell(raw, self.session.reader, neutral=self.neutral)
        else:
            row.values[column.field] = field.type.parse(raw, self.session.reader)
        return None

    def _keep(self, row: Row, column: Column, field: Field, raw: Any) -> None:
        """What the links keep: as many texts as there are links, with `;` between."""
        if blank(raw) or column.kept is None:
            return
        kind = link_columns(field)[column.kept].type
        texts = [text.strip() for text in str(raw).split(";")]
        row.kept.setdefault(column.field, {})[column.kept] = [
            kind.read_cell(text, self.session.reader, neutral=self.neutral) if text else None for text in texts
        ]

    def _link(self, row: Row, column: Column, pairs: list[tuple[str, str]]) -> None:
        refs = []
        for entity, text in pairs:
            try:
                ref = self.links.ref(entity, column.via, text)
            except Ambiguous:
                row.refuse(column, Invalid("link", "“{value}” names several records.", value=text[:60]))
                return
            if ref is None and self.defer:
                row.later[column.field] = (column, "; ".join(f"{e}:{t}" for e, t in pairs))
                return
            if ref is None:
                row.unfound.add(entity)
                row.refuse(column, Invalid("link", "“{value}” names no record.", value=text[:60]))
                return
            refs.append(ref)
        several = self.entity.fields[column.field].type.formula_type().kind == "records"
        row.values[column.field] = tuple(refs) if several else refs[0]
