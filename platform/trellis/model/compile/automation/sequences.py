"""`sequence:` documents: drip mail. Each becomes a workflow that runs once for a record, and knows when to end."""

from __future__ import annotations

import hashlib

from trellis.config.phrase import phrase
from trellis.model.automation.sequence import PREFIX, Sequence
from trellis.model.automation.triggers import OnRecord, OnRun, Trigger
from trellis.model.automation.workflow import Body, Workflow
from trellis.model.compile.automation.bodies import Bodies
from trellis.model.compile.context import Context, humanize
from trellis.model.compile.formulas import condition
from trellis.model.compile.item import Item
from trellis.model.compile.mail import tracking
from trellis.model.compile.names import Names
from trellis.model.compile.types import Types
from trellis.model.quiet import read_quiet


def compile_sequences(ctx: Context, types: Types) -> dict[str, Workflow]:
    """The sequences as workflows, by `sequence:` and their key."""
    found = {}
    for key, document in ctx.configuration.of("sequence").items():
        item = Item(dict(document.data), document.place, "", document.name)
        if (made := _sequence(ctx, types, key, item)) is not None:
            found[made.key] = made
    return found


def _sequence(ctx: Context, types: Types, key: str, item: Item) -> Workflow | None:
    names = Names(ctx, types)
    entity = names.entity(item.get("entity"))
    if entity is None:
        return None
    scope = names.scope(entity)
    said = item.get("quiet_hours")
    quiet = read_quiet(said.text) if said is not None else None
    if said is not None and quiet is None:
        ctx.problem("E215", phrase("'{name}' are no quiet hours", name=said.text), said, 'such as "20:00-08:00"')
    start = condition(ctx, item.get("start_when"), scope)
    by_itself = item.get("start_when") is not None
    trigger: Trigger = OnRecord(entity=entity, created=True, updated=True) if by_itself else OnRun(entity=entity)
    return Workflow(
        key=f"{PREFIX}{key}",
        label=ctx.text(item, "label", humanize(key)),
        triggers=(trigger,),
        bodies={entity: Body(start, Bodies(names, entity, {}).steps(item.get("steps")))},
        digest=hashlib.sha256(repr(item.data).encode()).hexdigest()[:16],
        active=item.flag("active", True),
        once=True,
        sequence=Sequence(entity, condition(ctx, item.get("stop_when"), scope), quiet, by_itself, tracking(item)),
    )
