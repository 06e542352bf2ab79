"""Which addresses give out records, for the log of who has read personal data.

A page or operation that shows a record or a list stands here with how it does; searching, picking and asking what a
change would do are no readings. What stands in neither table is held by a test.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from flask import g, request

from trellis.records.privacy.access import How, Reading

if TYPE_CHECKING:
    from trellis.model.model import Model

RECORDS: dict[str, How] = {
    "RecordView.show": "record",
    "ListView.peek": "record",
    "FormView.edit": "record",
    "ConvertView.convert": "record",
    "TimelineView.history": "record",
    "StagesView.stays": "record",
    "PrivacyView.show": "record",
    "PastView.pane": "past",
    "MergeView.merge": "merge",
    "MergeView.with_others": "merge",
    "FilesView.download": "file",
    "api.read_record": "api",
    "api.read_history": "api",
    "api.propose": "api",
    "api.download": "file",
}
LISTS: dict[str, How] = {
    "ListView.index": "list",
    "ListView.rows": "list",
    "BoardView.lane": "list",
    "BinView.index": "list",
    "RelatedView.related": "list",
    "api.list_records": "api",
    "api.list_links": "api",
}
AGAIN = {"RecordView.show": "parts"}  # by endpoint: a page that is open fetches what has changed of it
ONE = {"ListView.rows": "only"}  # by endpoint: one row of a list that is open, fetched again
MOST = 20
SHAPE = frozenset(
    {"filter", "q", "view", "f", "on", "updated_since", "deleted", "lane", "in"}
)  # of an address: which records a list has


def readings() -> list[Reading]:
    """What this request has given out."""
    endpoint, args = request.endpoint or "", request.view_args or {}
    entity = args.get("entity")
    if request.method not in ("GET", "HEAD") or not isinstance(entity, str):
        return []
    if (how := RECORDS.get(endpoint)) is not None:
        return [Reading(how, entity, id) for id in _ids(args.get("id"))]
    if endpoint in ONE and (one := request.args.get(ONE[endpoint])):
        return [Reading(LISTS[endpoint], entity, id, 1) for id in _parsed([one])]
    if (how := LISTS.get(endpoint)) is not None:
        return [Reading(how, _listed(entity, args.get("name")), None, g.get("shown_rows"), _filter())]
    return []


def is_again() -> bool:
    """Whether this request asks for what has changed of a page that is open: its reading is noted already."""
    word = AGAIN.get(request.endpoint or "")
    return word is not None and word in request.args


def showed(count: int) -> None:
    """Say how many records the list of this request shows."""
    g.shown_rows = count


def _ids(one: UUID | None) -> list[UUID]:
    """The record of the address, or those that it compares."""
    if one is not None:
        return [one]
    return _parsed(",".join((*request.args.getlist("ids"), *request.args.getlist("id"))).split(",")[:MOST])


def _parsed(texts: Sequence[str]) -> list[UUID]:
    found = []
    for text in texts:
        try:
            found.append(UUID(text.strip()))
        except ValueError:
            continue
    return found


def _listed(entity: str, name: str | None) -> str:
    """Whose records a list shows: the entity's, or those that are linked with one of its records."""
    from trellis.web.context import current_tenant

    model: Model = current_tenant().model
    definition = model.entities.get(entity)
    if definition is None or name is None:
        return entity
    if name in definition.inverses:
        return definition.inverses[name].entity
    field = definition.fields.get(name)
    targets = field.type.formula_type().entities if field is not None else ()
    return targets[0] if len(targets) == 1 else entity


def _filter() -> str | None:
    chosen = [f"{name}={value}" for name, value in request.args.items(multi=True) if name in SHAPE and value]
    return "&".join(chosen) or None
