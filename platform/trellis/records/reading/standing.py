"""A record as its page shows it: what its conditions say, judged on what was read of it already."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from trellis.formula.env import Env
from trellis.formula.formula import Formula
from trellis.records.graph import LiveRecord, StoreGraph

if TYPE_CHECKING:
    from trellis.model.entity import Entity
    from trellis.model.field import Field
    from trellis.records.record import Record
    from trellis.records.store import Store


class Standing:
    """The conditions of one stored record. Asks the database only when one reads what was not read with the record."""

    def __init__(self, store: Store, entity: Entity, record: Record) -> None:
        self._store = store
        self._entity = entity
        self._record = record

    def is_visible(self, field: Field) -> bool:
        """Whether the field is shown."""
        return field.visible_when is None or self.holds(field.visible_when)

    def is_closed(self, field: Field) -> bool:
        """Whether nobody may change the field now."""
        if field.readonly in ("always", "after_create") or not field.is_writable:
            return True
        return field.readonly_when is not None and self.holds(field.readonly_when)

    def holds(self, formula: Formula) -> bool:
        """Whether a condition is true of the record; blank is not."""
        with self._store.transaction():
            live = self._known if self._is_known(formula) else self._stored
            return formula.evaluate(Env(live, self._store.principal.reader, live.graph, old=live)) is True

    def _is_known(self, formula: Formula) -> bool:
        """Whether the record in hand has every field of its own that the condition reads."""
        fields, permit = self._entity.fields, self._store.session.permit
        names = {path[0] for path in formula.reads if path and path[0] in fields}
        return all(
            fields[n].formula is None and n in self._record and not permit.conceals(self._entity.key, n) for n in names
        )

    @cached_property
    def _known(self) -> LiveRecord:
        graph = StoreGraph(self._store.session)
        values = {key: self._record[key] for key, f in self._entity.fields.items() if key in self._record}
        live = LiveRecord(graph, self._entity, self._record.id, values)
        graph.put(live)
        return live

    @cached_property
    def _stored(self) -> LiveRecord:
        found = StoreGraph(self._store.session).load(self._entity.key, [self._record.id])
        return found[0] if found else self._known
