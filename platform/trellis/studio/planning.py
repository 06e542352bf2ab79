"""From a draft or an earlier revision to a plan, and from a plan that was looked at to a revision.

It is storage's plan and apply and nothing else. What a person has looked at is named by a seal over the plan: if it is
another one when they press the button, they are shown that one first.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from trellis.config.layer import Layer
from trellis.storage.apply import apply
from trellis.storage.followups import follow_up
from trellis.storage.plan import plan

if TYPE_CHECKING:
    from trellis.storage.catalogue import Catalogue
    from trellis.storage.plan import Plan
    from trellis.storage.tenant import Tenant

STUDIO = "studio"


def plan_layers(catalogue: Catalogue, slug: str, layers: Sequence[Layer]) -> Plan:
    """Plan layers for a tenant as it is live. Raises BrokenConfiguration when they have errors."""
    return plan(catalogue.get(slug), [Layer(x.name, x.files, x.folder) for x in layers])


def plan_revision(catalogue: Catalogue, slug: str, number: int) -> Plan:
    """Plan an earlier revision again. Raises LookupError, and BrokenConfiguration."""
    return plan(catalogue.get(slug), catalogue.revision(slug, number).layers)


def changes_files(planned: Plan, live: Sequence[Layer]) -> bool:
    """Whether any file is another than what is live: a comment, a scenario, a translation count too."""
    return [x.digest for x in planned.layers] != [Layer(x.name, x.files, x.folder).digest for x in live]


def seal(planned: Plan) -> str:
    """What the plan is: the revision it is for, the configuration, every step with what it costs."""
    steps = [(s.text, s.rows, s.failing, s.destroys, s.sql, s.later) for s in planned.steps]
    content = [x.digest for x in planned.layers]
    return hashlib.sha256(repr((planned.tenant.revision, content, steps)).encode()).hexdigest()[:32]


def lost_rows(planned: Plan) -> int:
    """How many values and rows are gone afterwards."""
    return sum(s.rows for s in planned.destroys)


def publish(catalogue: Catalogue, planned: Plan, who: str, why: str, *, allow_destroy: bool) -> Tenant:
    """Apply a plan as written in the browser. Raises ApplyRefused.

    The work on old records goes on by itself, as after an upgrade: it is noted in the transaction that publishes.
    """
    applied = apply(catalogue, planned, who, why, allow_destroy=allow_destroy, follow=False, origin=STUDIO)
    known = (catalogue, applied.slug, planned.tenant, applied)
    threading.Thread(target=follow_up, args=known, name="trellis-publish", daemon=True).start()
    return applied
