"""What a report shows before anybody has chosen: something of the entity, so that the preview is not empty."""

from __future__ import annotations

from dataclasses import replace

from trellis.records.store import Store
from trellis.web.lists.state import default_columns
from trellis.web.reports.building.draft import Draft, Row
from trellis.web.reports.building.offers import Offers, offers_of

MOST_COLUMNS = 4
WANTED = ("stage", "status", "owner")  # groups that say something of most entities


def begin_with(store: Store, draft: Draft) -> Draft:
    """The draft with a first group, date or columns where its kind needs one and none is chosen."""
    offers = offers_of(store, draft.entity)
    if draft.kind == "table" and not draft.columns:
        shown = {f.path for f in offers.shown}
        entity = store.tenant.model.entities[draft.entity]
        paths = [
            p for p in default_columns(entity) if p in shown and p != entity.title_field
        ]  # which stands there anyway
        return draft.with_rows("column", tuple(Row(path=p) for p in paths[:MOST_COLUMNS]))
    if draft.kind == "trend" and not draft.date:
        days = [f.path for f in offers.days if not f.group]
        return replace(draft, date="created_at" if "created_at" in days else days[0] if days else "")
    if draft.kind in ("summary", "pivot") and not draft.groups:
        first = _group(offers)
        return draft.with_rows("group", (Row(path=first),)) if first else draft
    return draft


def _group(offers: Offers) -> str:
    own = [f for f in offers.grouped if not f.group]
    known = {f.path for f in own}
    return next((p for p in WANTED if p in known), "") or next((f.path for f in own if f.kind == "record"), "")
