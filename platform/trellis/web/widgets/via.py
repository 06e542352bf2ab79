"""What a many-to-many keeps with each of its links, in the form: a row for each linked record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from trellis.formula.types import Ref
from trellis.model.field import Field
from trellis.records.reading.catalog import link_columns
from trellis.records.reading.pointing import link_values
from trellis.web.widgets.base import UNCHANGED, widget_of
from trellis.web.widgets.submitted import Submitted

if TYPE_CHECKING:
    from trellis.web.widgets.bound import BoundField
    from trellis.web.widgets.link import Picked

ANY_ID = "__id__"  # stands for a record in the row that the page copies
ANY_TITLE = "__title__"


@dataclass(frozen=True)
class LinkRow:
    """One linked record with the controls of what its link keeps."""

    id: str
    title: str
    cells: Sequence[BoundField]


def link_rows(bound: BoundField, chosen: Sequence[Picked]) -> tuple[list[LinkRow], LinkRow] | None:
    """The rows of the linked records, and the row that a new one gets; None where links keep nothing."""
    columns = link_columns(bound.field)
    if not columns or bound.compact or bound.readonly:
        return None
    kept = _kept(bound, [UUID(p.value) for p in chosen])
    rows = [LinkRow(p.value, p.title, _cells(bound, columns, p.value, kept.get(p.value, {}))) for p in chosen]
    return rows, LinkRow(ANY_ID, ANY_TITLE, _cells(bound, columns, ANY_ID, {}))


def _cells(bound: BoundField, columns: Mapping[str, Field], id: str, values: Mapping[str, Any]) -> list[BoundField]:
    from trellis.web.widgets.bound import BoundField

    prefix = f"{bound.name}.{id}."
    return [
        BoundField(
            bound.store,
            bound.entity,
            column,
            values.get(key),
            typed=bound.typed,
            prefix=prefix,
            compact=True,
            hint=column.label.in_language(bound.reader.language),
        )
        for key, column in columns.items()
    ]


def _kept(bound: BoundField, ids: Sequence[UUID]) -> Mapping[str, Mapping[str, Any]]:
    """What was typed for each linked record, else what is stored."""
    if bound.typed:
        given = bound.value if isinstance(bound.value, (list, tuple)) else ()
        return {str(item["id"]): item for item in given if isinstance(item, Mapping) and "id" in item}
    record = bound.this.get("id")
    if record is None or not ids:
        return {}
    ref = Ref(bound.entity.key, record)
    found = link_values(bound.store, bound.entity.key, bound.field.key, ref, ids, from_owner=True)
    return {str(id): values for id, values in found.items()}


def read_row(sent: Submitted, field: Field, name: str, id: str) -> dict[str, Any]:
    """What was typed for one link."""
    part = sent.below(f"{name}.{id}")
    found: dict[str, Any] = {}
    for key, column in link_columns(field).items():
        raw = widget_of(column).read(part, column) if part.has(key) else UNCHANGED
        if raw is not UNCHANGED:
            found[key] = raw
    return found
