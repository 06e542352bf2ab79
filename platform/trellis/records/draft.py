"""A change of one record in the making: its new state, its old one, what was given, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dc_field
from typing import Any
from uuid import UUID

from trellis.formula.env import Env
from trellis.formula.types import Value
from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.records.graph import LiveRecord, StoreGraph
from trellis.records.refusal import Fault


@dataclass(eq=False)
class Draft:
    """One record about to be written. `lines` holds the drafts of its parts by list, `gone` those that are left out."""

    entity: Entity
    record: LiveRecord
    old: LiveRecord | None = None
    means: str = "page"
    given: dict[str, Any] = dc_field(default_factory=dict)  # what the writer gave, raw
    faults: list[Fault] = dc_field(default_factory=list)
    warnings: list[Fault] = dc_field(default_factory=list)
    lines: dict[str, list[Draft]] = dc_field(default_factory=dict)
    gone: dict[str, list[LiveRecord]] = dc_field(default_factory=dict)
    told: list[Any] = dc_field(default_factory=list)  # what the history tells beside fields: columns of links
    prefix: str = ""  # where the record stands in the one that is saved: "lines.2."
    parent: Draft | None = None
    comes_from: UUID | None = None  # the record that becomes this one: it is no duplicate of it
    is_written: bool = False
    stored_graph: StoreGraph | None = None  # everything as it was before this change, when somebody has asked

    @property
    def is_new(self) -> bool:
        """Not stored yet."""
        return self.old is None

    def env(self) -> Env:
        """What the record's formulas are evaluated with."""
        return Env(
            self.record,
            self.record.graph.session.reader,
            self.record.graph,
            old=self.old,
            is_new=self.is_new,
        )

    def value(self, name: str) -> Value:
        """A field's new value."""
        return self.record.value(name)

    def before(self, name: str) -> Value:
        """A field's stored value; blank for a new record."""
        return None if self.old is None else self.old.value(name)

    def set(self, name: str, value: Value) -> None:
        """Give a field a value."""
        self.record.set(name, value)

    def has_changed(self, name: str) -> bool:
        """Whether the new value differs from the stored one; links with columns differ by what was given."""
        if self.is_new:
            return True
        if name not in self.record.touched and not self._is_computed(name):
            return False
        return bool(self.record.value(name) != self.before(name))

    def _is_computed(self, name: str) -> bool:
        field = self.entity.fields.get(name)
        return field is None or field.formula is not None

    def fault(self, fault: Fault) -> None:
        """Note what is wrong, at the field's place in the whole change."""
        if self.prefix:
            place = f"{self.prefix}{fault.field}" if fault.field else self.prefix.rstrip(".")
            fault = Fault(fault.code, fault.message, place, fault.params)
        self.faults.append(fault)

    def all_faults(self) -> list[Fault]:
        """The faults of the record and of its parts, each once."""
        found = dict.fromkeys(map(_key, self.faults))
        result = [f for f in self.faults if found.pop(_key(f), 0) is None]
        for drafts in self.lines.values():
            for draft in drafts:
                result.extend(draft.all_faults())
        return result

    def every(self) -> list[Draft]:
        """The draft and those of its parts, parents first."""
        return [self, *(inner for drafts in self.lines.values() for draft in drafts for inner in draft.every())]

    def stored_fields(self) -> list[Field]:
        """The fields with columns of their own that a save may write."""
        return [f for f in self.entity.stored_fields() if f.key not in KEPT]


KEPT = frozenset(
    {"id", "version", "created_at", "created_by", "updated_at", "updated_by", "deleted_at", "deleted_by", "search"}
)


@dataclass(frozen=True)
class Event:
    """What happened to a record, for whoever listens: created, updated, deleted, restored, purged, linked, unlinked,
    converted, merged (and merged_into, for those that were), unmerged."""

    kind: str
    entity: str
    id: Any
    means: str
    changed: Mapping[str, tuple[Value, Value]] = dc_field(default_factory=dict)
    version: int | None = None  # of the record after it, where that is known


def _key(fault: Fault) -> tuple[object, ...]:
    return (fault.code, fault.field, str(fault.message), repr(sorted(fault.params.items())))
