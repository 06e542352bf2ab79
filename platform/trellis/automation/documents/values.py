"""What a template is told of records: the values that its reader may see, each with how it reads in the language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from trellis.formula.types import Money, Ref, Value
from trellis.model.fields.files import FileField
from trellis.model.fields.text import RichText
from trellis.model.markup import sanitise
from trellis.records.reading.linked import linked_list
from trellis.records.refusal import Forbidden, Missing

if TYPE_CHECKING:
    from trellis.model.entity import Entity
    from trellis.model.field import Field
    from trellis.records.record import Record
    from trellis.records.store import Store

MOST_ROWS = 1000
Told = dict[str, Any]


class Values:
    """The values of one paper, in its language; it remembers which files it has told of."""

    def __init__(self, store: Store, language: str) -> None:
        self.store = store
        self.reader = replace(store.principal.reader, language=language)
        self.files: set[str] = set()

    def record(self, entity: str, id: UUID) -> Told:
        """Every value of a record. Raises Missing where the reader may not read it."""
        fields = self._fields(entity)
        return self.of(self.store.read(entity, id, fields=fields), fields)

    def of(self, record: Record, fields: list[str]) -> Told:
        """Every value of a record that was read: what is hidden from the reader is blank, as what is empty."""
        entity = self.store.tenant.model.entities[record.entity]
        told: Told = {"id": str(record.id), "title": record.title}
        for name in entity.inverses:
            told[name] = self._listed(entity, record.id, name)
        for name, field in entity.fields.items():
            if field.type.formula_type().kind == "records":
                told[name] = self._listed(entity, record.id, name)
            elif name in fields:
                told[name] = self.value(field, record[name])
            else:
                told.setdefault(name, None)
        return told

    def rows(self, entity: str, id: UUID, name: str) -> list[Told]:
        """The records of a list, as far as the reader may see it."""
        definition = self.store.tenant.model.entities[entity]
        listed = linked_list(self.store, definition, name)
        if listed is None:
            return []
        target = listed.target.key
        fields = self._fields(target)
        if listed.target.part_of and name in definition.inverses:
            rows = self.store.lines(entity, id, name, columns=fields)[:MOST_ROWS]
        else:
            where = [listed.where(self.store, Ref(entity, id))]
            rows = self.store.list(target, columns=fields, where=where, limit=MOST_ROWS).rows
        return [
            {"entity": target, "id": str(row.id), "shown": row.title, "values": self.of(row, fields)} for row in rows
        ]

    def value(self, field: Field, value: Value) -> Any:
        """One value, as JSON, with how a person reads it."""
        if value is None or isinstance(value, bool):
            return value
        if isinstance(field.type, FileField):
            entries: Any = value
            self.files.update(entry["id"] for entry in entries)
            return {"t": "files", "v": [{"id": entry["id"], "name": entry["name"]} for entry in entries]}
        if isinstance(field.type, RichText):
            return {"t": "html", "v": sanitise(str(value))}
        if isinstance(value, Ref):
            return {"t": "record", "entity": value.entity, "id": str(value.id), "s": value.title or ""}
        shown = field.type.display(value, self.reader)
        for kind, tell in _TOLD:
            if isinstance(value, kind):
                return {**tell(value), "s": shown}
        return shown

    def _fields(self, entity: str) -> list[str]:
        fields = self.store.tenant.model.entities[entity].fields
        readable = self.store.readable_fields(entity)
        return [name for name in readable if fields[name].type.formula_type().kind != "records"]

    def _listed(self, entity: Entity, id: UUID, name: str) -> Told:
        return {"t": "records", "v": {"entity": entity.key, "id": str(id), "name": name}}

    def answer(self, asked: Mapping[str, Any]) -> Any:
        """What the drawer has asked for; a record that the reader may not read has no values."""
        if asked["ask"] == "list":
            return self.rows(asked["entity"], UUID(asked["id"]), asked["name"])
        try:
            return self.record(asked["entity"], UUID(asked["id"]))
        except (Missing, Forbidden):
            return self._nothing(asked["entity"])

    def _nothing(self, entity: str) -> Told:
        definition = self.store.tenant.model.entities[entity]
        return dict.fromkeys(["id", "title", *definition.fields, *definition.inverses])


_TOLD: tuple[tuple[type, Callable[[Any], Told]], ...] = (
    (Money, lambda v: {"t": "money", "v": str(v.amount), "c": v.currency}),
    (Decimal, lambda v: {"t": "number", "v": str(v)}),
    (int, lambda v: {"t": "number", "v": str(v)}),
    (datetime, lambda v: {"t": "moment", "v": v.isoformat()}),
    (date, lambda v: {"t": "day", "v": v.isoformat()}),
    (dict, lambda v: {"t": "parts", "v": {part: text for part, text in v.items() if isinstance(text, str)}}),
    (str, lambda v: {"t": "choice", "v": v}),
)
