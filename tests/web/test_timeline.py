"""What the timeline of a record is made of, by what its entity offers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast
from uuid import UUID

from tests.conftest import layers_of

from trellis.formula.reader import Reader
from trellis.formula.types import Ref
from trellis.model.compile import compile_layers
from trellis.records.record import Record
from trellis.records.store import Store
from trellis.web.timeline.activities import Activity, activity_links
from trellis.web.timeline.waiting import Waiting

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


ERRAND = """
entity: errand
title: subject
fields:
  subject: {type: text}
  about: {type: any_link, to: "*", inverse: errands}
  due: {type: date}
  done: {type: boolean}
  owner: {type: user, role: owner}
views:
  mine: {type: list, filter: owner == me and not done, sort: [due], columns: [subject, due]}
"""


def test_what_is_done_is_not_waited_for_and_what_is_somebody_elses_is() -> None:
    model = compile_layers(layers_of(ERRAND)).model
    assert model is not None
    entity = model.entities["errand"]
    waiting = Waiting(Activity(entity, "about", "due"), list(entity.fields), Reader())
    assert waiting.reads == ["done", "owner"]
    other = Ref("user", UUID(int=7))
    rows = [{"owner": other, "done": False}, {"owner": other, "done": True}, {"owner": None, "done": True}]
    assert [waiting.is_over(cast("Record", row)) for row in rows] == [False, True, True]
    assert not Waiting(Activity(entity, "about", "created_at"), list(entity.fields), Reader()).reads
    assert not Waiting(Activity(entity, "about", "due"), ["due"], Reader()).reads
