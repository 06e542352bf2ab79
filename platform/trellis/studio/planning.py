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
from trellis.storage.catalogue import is_locked
from trellis.storage.followups import follow_up
from trellis.storage.live import owner_connection, rows_of
from trellis.storage.plan import plan

if TYPE_CHECKING:
    from trellis.storage.catalogue import Catalogue
    from trellis.storage.plan import Plan
    from trellis.storage.tenant import Tenant

STUDIO = "studio"
LONG_ROWS = 20_000  # from so many rows that are read or written on, nobody waits before a page
# steps that go over every row of their table
OVER_ROWS = frozenset(
    {
        *("convert_column", "fill_column", "rename_value", "move_stage", "retype_stage"),
        *("not_null", "add_index", "add_key", "check_key"),
    }
)


def plan_layers(catalogue: Catalogue, slug: str, layers: Sequence[Layer]) -> Plan:
    """Plan layers for a tenant as it is live. Raises BrokenConfiguration when they have errors."""
    return plan(catalogue.get(slug), [Layer(x.name, x.files, x.folder) for x in layers])


def seal(planned: Plan) -> str:
    """What the plan is: the revision it is for, the configuration, every step with what it costs."""
    steps = [(s.text, s.rows, s.failing, s.destroys, s.sql, s.later) for s in planned.steps]
    content = [x.digest for x in planned.layers]
    return hashlib.sha256(repr((planned.tenant.revision, content, steps)).encode()).hexdigest()[:32]


def lost_rows(planned: Plan) -> int:
    """How many values and rows are gone afterwards."""
    return sum(s.rows for s in planned.destroys)


def takes_long(planned: Plan) -> bool:
    """Whether carrying it out may take longer than a page can wait: many rows, or another change is going on."""
    tables = {step.table for step in planned.steps if step.kind in OVER_ROWS}
    with owner_connection(planned.tenant) as connection, connection.begin():
        if is_locked(connection, planned.tenant.slug):
            return True
        return sum(rows_of(connection, table) for table in tables) >= LONG_ROWS


def publish(catalogue: Catalogue, planned: Plan, who: str, why: str, *, allow_destroy: bool) -> Tenant:
    """Apply a plan as written in the browser. Raises ApplyRefused.

    The work on old records goes on by itself, as after an upgrade: it is noted in the transaction that publishes.
    """
    applied = apply(catalogue, planned, who, why, allow_destroy=allow_destroy, follow=False, origin=STUDIO)
    known = (catalogue, applied.slug, planned.tenant, applied)
    threading.Thread(target=follow_up, args=known, name="trellis-publish", daemon=True).start()
    return applied
