"""What a record looks like already, brought into the shape in which forms and editors tell it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from flask import url_for
from flask_babel import gettext as _

from trellis.web.faults import fault_text
from trellis.web.navigation import entity_address

if TYPE_CHECKING:
    from trellis.model.entity import Entity
    from trellis.records.refusal import Fault
    from trellis.records.store import Store


@dataclass(frozen=True)
class Like:
    """A record that is there: its kind where that is another, its owner and stage as far as they may be seen."""

    title: str
    address: str
    detail: str
    merge: str  # the address of the merge page; empty where there is nothing to merge yet


@dataclass(frozen=True)
class Alike:
    """What the rules found. `texts` holds what cannot be told by records."""

    records: list[Like]
    texts: list[str]
    blocks: bool


def alike_of(store: Store, entity: Entity, faults: Sequence[Fault], id: UUID | None) -> Alike:
    """The faults of the rules as records to look at; each record once."""
    language = store.principal.reader.language
    may_merge = id is not None and store.may_merge(entity.key)
    records: dict[tuple[str, str], Like] = {}
    texts: dict[str, None] = {}
    for fault in faults:
        told = fault.params.get("records") or ()
        if not told:
            texts[fault_text(fault, language)] = None
        elif fault.params.get("hidden"):
            texts[_("There is another one that you cannot see. Ask an administrator.")] = None
        for record in told:
            key = (record["entity"], record["id"])
            other = store.tenant.model.entities[record["entity"]]
            kind = other.label.in_language(language) if other.key != entity.key else ""
            detail = " · ".join(part for part in (kind, record.get("owner", ""), record.get("state", "")) if part)
            merge = ""
            if may_merge and other.key == entity.key:
                merge = url_for("MergeView.merge", entity=entity.key, ids=f"{id},{record['id']}")
            title = record["title"] or other.label.in_language(language)
            records[key] = Like(title, entity_address(*key), detail, merge)
    return Alike(list(records.values()), list(texts), any(f.params.get("blocks") for f in faults))
