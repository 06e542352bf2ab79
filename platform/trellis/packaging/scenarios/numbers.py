"""Telephone numbers in scenarios: as they are written, or those of records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trellis.automation.messages.taking import number_of
from trellis.automation.workflows.context import refs_of
from trellis.records.graph import StoreGraph

if TYPE_CHECKING:
    from trellis.records.store import Store


def number_in(store: Store, value: Any) -> str:
    """The number of a text, or of the record that is named; "" where there is none. Within a transaction."""
    refs = list(refs_of(value))
    if not refs:
        return number_of(store.tenant.profile, str(value)) if value else ""
    record = StoreGraph(store.session).follow(refs[0])
    names = record.definition.fields.values() if record is not None else ()
    phones = sorted((f.key for f in names if f.type.name == "phone"), key=lambda key: key != "mobile")
    return next((str(record.get(key)) for key in phones if record is not None and record.get(key)), "")
