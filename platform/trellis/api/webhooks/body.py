"""What a message says: a CloudEvent (1.0, structured mode) about a record, as far as the owner may see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trellis.api.representation import default_paths, dumps, record_json, shown, whole
from trellis.api.scope import readable
from trellis.records.events import AUTOMATED
from trellis.records.pools import standing
from trellis.records.refusal import Missing

if TYPE_CHECKING:
    from uuid import UUID

    from trellis.automation.events import Happening
    from trellis.records.store import Store

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"


def message_body(store: Store, id: UUID, event: str, happening: Happening) -> bytes | None:
    """The message as it is sent; None when the owner may not see the record."""
    entity = store.tenant.model.entities[happening.entity]
    if not entity.features.api:
        return None
    try:
        record = store.read(entity.key, happening.record, deleted=True)
    except Missing:
        return None
    if record.deleted_at is not None:  # its lines lie in the bin with it
        paths = [path for path in default_paths(store, entity) if path in record]
        told = record_json(record, shown(store, entity, paths))
    else:
        told = whole(store, entity, record)
    data: dict[str, Any] = {"record": told}
    if changed := _changed(store, happening):
        data["changed"] = changed
    if happening.kind == "merged_into" and (winner := store.merged_into(entity.key, happening.record)) is not None:
        data["merged_into"] = str(winner)
    data["by"] = {"id": str(happening.by), "name": happening.by_name or ""} if happening.by else None
    data["means"] = "import" if happening.means == AUTOMATED else happening.means
    return cloud_event(
        store.tenant.slug,
        id,
        f"{entity.key}.{event}",
        at=happening.at,
        data=data,
        subject=f"{entity.key}/{happening.record}",
        sequence=f"{happening.id:020d}",
    )


def cloud_event(tenant: str, id: UUID, type: str, *, at: Any, data: Any, **attributes: str) -> bytes:
    """A CloudEvent as JSON."""
    return dumps(
        {
            "specversion": "1.0",
            "id": str(id),
            "source": f"/t/{tenant}",
            "type": type,
            "time": at,
            "datacontenttype": "application/json",
            **attributes,
            "data": data,
        }
    )


def _changed(store: Store, happening: Happening) -> dict[str, Any]:
    """The old and new values of the fields that the owner may see as they are."""
    if happening.kind not in ("updated", "merged", "converted", "linked", "unlinked"):
        return {}
    entity = store.tenant.model.entities[happening.entity]
    modes = store.session.permit.modes(entity.key)
    covered = standing.hidden_now(store.session, happening.entity, happening.record)
    open_ = {f.key for f in readable(store, entity) if modes.get(f.key) not in ("hidden", "masked")} - covered
    return {
        name: {"old": old, "new": new}
        for name, (old, new) in happening.changes.items()
        if name in open_ or (name in entity.inverses and modes.get(name) not in ("hidden", "masked"))
    }
