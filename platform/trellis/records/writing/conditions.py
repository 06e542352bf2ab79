"""The conditions of fields: what is visible, required, read-only, and which choices there are, for one record."""

from __future__ import annotations

from trellis.formula.env import Env
from trellis.formula.formula import Formula
from trellis.model.field import Field
from trellis.model.fields.sequence import Sequence
from trellis.records.draft import Draft
from trellis.records.graph import LiveRecord


def holds(formula: Formula, env: Env) -> bool:
    """Whether a condition is true; blank is not."""
    return formula.evaluate(env) is True


def is_visible(draft: Draft, field: Field) -> bool:
    """Judged on the new record."""
    return field.visible_when is None or holds(field.visible_when, draft.env())


def is_required(draft: Draft, field: Field) -> bool:
    """Judged on the new record; an invisible field is not required."""
    wanted = field.required or (field.required_when is not None and holds(field.required_when, draft.env()))
    return wanted and is_visible(draft, field)


def is_readonly(draft: Draft, field: Field) -> bool:
    """Judged on the record as stored.

    A new record is not stored yet, so that its first values may be given: it is closed only where the condition holds
    for a record without any values and for the one that is made too, as `not has_role("manager")` does.
    """
    if field.readonly == "always":
        return True
    if field.readonly == "after_create" and not draft.is_new:
        return True
    if is_numbered(draft, field) and draft.means != "import":
        return True
    if field.readonly_when is None:
        return False
    if draft.old is None:
        return holds(field.readonly_when, draft.env()) and holds(field.readonly_when, _empty(draft))
    graph = draft.old.graph
    return holds(field.readonly_when, Env(draft.old, graph.session.reader, graph, old=draft.old))


def is_numbered(draft: Draft, field: Field) -> bool:
    """Whether the stored record has its running number, which nobody writes over by hand; a file may bring another."""
    return isinstance(field.type, Sequence) and draft.before(field.key) is not None


def is_locked(draft: Draft, field: Field) -> bool:
    """Whether a form shows a field as locked: its condition holds for what stands in the form now."""
    return field.readonly_when is not None and holds(field.readonly_when, draft.env())


def _empty(draft: Draft) -> Env:
    record = LiveRecord(draft.record.graph, draft.entity, draft.record.id, {}, is_new=True)
    return Env(record, record.graph.session.reader, record.graph, is_new=True)


def open_choices(draft: Draft, field: Field) -> tuple[str, ...] | None:
    """The choices that `choices_when` leaves; None: all. A choice without a condition is always there."""
    if not field.choices_when:
        return None
    env = draft.env()
    options = getattr(field.type, "options", None)
    keys = [c.key for c in options()] if options is not None else list(field.choices_when)
    return tuple(k for k in keys if k not in field.choices_when or holds(field.choices_when[k], env))
