"""Conversion: what a record would become, and making it so."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response

from trellis.api.app import api
from trellis.api.asking import read_body
from trellis.api.conditions import once
from trellis.api.representation import json_response
from trellis.api.scope import entity_of
from trellis.model.fields.relations import ref_json
from trellis.records.conversion.convert import Proposal
from trellis.web.context import current_store


@api.get("/<entity>/<uuid:id>/convert")
def propose(entity: str, id: UUID) -> Response:
    """What the record would become, with existing records that look like it; nothing is written."""
    store = current_store()
    entity_of(store, entity)
    return json_response({"data": [_proposal(p) for p in store.propose(entity, id)], "next": None})


@api.post("/<entity>/<uuid:id>/convert")
@once
def convert(entity: str, id: UUID) -> Response:
    """Convert: `{"account": {"existing": "…"}, "contact": "new", "deal": "skip"}`; new where nothing is said."""
    store = current_store()
    entity_of(store, entity)
    done = store.convert(entity, id, read_body())
    return json_response(
        {
            "became": {key: ref_json(ref) for key, ref in done.became.items()},
            "created": sorted(done.created),
            "moved": dict(done.moved),
        }
    )


def _proposal(proposal: Proposal) -> dict[str, Any]:
    fields = proposal.target
    return {
        "target": fields.entity,
        "optional": fields.optional,
        "values": dict(proposal.values),
        "matches": [
            {"record": None if m.ref is None else ref_json(m.ref), "owner": m.owner, "on": list(m.on)}
            for m in proposal.matches
        ],
    }
