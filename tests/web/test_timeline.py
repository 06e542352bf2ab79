"""What the timeline of a record is made of, by what its entity offers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

from tests.conftest import layers_of

from trellis.model.compile import compile_layers
from trellis.records.store import Store
from trellis.web.timeline.activities import activity_links

YAML = """
entity: firm
title: name
fields: {name: {type: text}}
---
entity: quiet
title: name
fields: {name: {type: text}}
features: {comments: false}
---
entity: silent
title: name
fields: {name: {type: text}}
features: {activities: false}
---
entity: note
title: text
fields: {about: {type: any_link, to: "*", inverse: notes}, text: {type: long_text}}
---
entity: call
title: subject
fields: {about: {type: any_link, to: "*", inverse: calls}, subject: {type: text}, at: {type: datetime}}
"""


def test_notes_are_offered_where_comments_are_and_activities_where_they_are() -> None:
    model = compile_layers(layers_of(YAML)).model
    assert model is not None
    known = SimpleNamespace(
        tenant=SimpleNamespace(model=model),
        may=lambda action, key: True,
        readable_fields=lambda key: list(model.entities[key].fields),
    )
    store = cast("Store", known)
    found = {key: [a.key for a in activity_links(store, model.entities[key])] for key in ("firm", "quiet", "silent")}
    assert found == {"firm": ["note", "call"], "quiet": ["call"], "silent": []}
