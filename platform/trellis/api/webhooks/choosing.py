"""Which events a webhook is told of: by entity, event and formula, within its owner's rights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trellis.automation.events import Happening, read_changes
from trellis.formula.env import Env
from trellis.formula.formula import Formula, compile_formula
from trellis.formula.types import BOOLEAN, Type, record_of
from trellis.records.graph import StoreGraph
from trellis.records.reading.scope import ReaderScope

if TYPE_CHECKING:
    from trellis.api.webhooks.webhook import Webhook
    from trellis.model.model import Model
    from trellis.records.store import Store

# how an event is called for a webhook, where it is not by its own name
CALLED = {"merged_into": "deleted"}


class ChangeScope(ReaderScope):
    """What a webhook's formula may name: what its owner may see of the record, and `old.x`, as it was before."""

    def name(self, name: str) -> Type | None:
        """As for a reader, and `old`."""
        if name == "old" and self.entity is not None:
            return record_of(self.entity)
        return super().name(name)


def compile_condition(store: Store, entity: str, text: str) -> Formula:
    """A webhook's formula. Raises FormulaError."""
    scope = ChangeScope(store.tenant.model, entity, store.session.permit)
    return compile_formula(text, scope, expected=BOOLEAN)


def called(webhook: Webhook, happening: Happening, model: Model) -> str | None:
    """What the event is for this webhook; None when it does not listen to it. A move is the more telling word."""
    if webhook.entity not in ("*", happening.entity):
        return None
    event = CALLED.get(happening.kind, happening.kind)
    if event == "updated" and "moved" in webhook.events and happening.stages(model):
        return "moved"
    return event if event in webhook.events else None


def meets(store: Store, condition: Formula, happening: Happening) -> bool:
    """Whether the record meets the formula as the event left it, whatever has happened to it since."""
    graph = StoreGraph(store.session)
    found = graph.load(happening.entity, [happening.record])
    if not found:
        return False
    record, old = found[0].copy(), found[0].copy()
    for name, (before, after) in read_changes(store.tenant.model, happening, store.session.reader).items():
        if record.definition.fields[name].type.formula_type().kind != "records":  # told one by one, not as a whole
            record.set(name, after)
            old.set(name, before)
    is_new = happening.kind == "created"
    env = Env(record, store.session.reader, graph, old=None if is_new else old, is_new=is_new)
    return condition.evaluate(env) is True
