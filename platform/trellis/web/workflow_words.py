"""A workflow in words: what sets it off, and its steps as they stand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask_babel import gettext as _

from trellis.automation.workflows.context import verb_of
from trellis.model.automation import steps
from trellis.model.automation.steps import Step, every_step
from trellis.model.automation.triggers import OnButton
from trellis.model.automation.workflow import Workflow
from trellis.model.given import Given
from trellis.web.automation_words import EVENTS, KINDS, TRIGGERS, VERBS
from trellis.web.context import current_reader, current_tenant


def starts_of(workflow: Workflow) -> list[str]:
    """What sets a workflow off, in words."""
    tenant, language = current_tenant(), current_reader().language
    found: list[str] = []
    if workflow.sequence is not None and not workflow.sequence.by_itself:
        return [_("A person, from the page of a record")]
    for trigger in workflow.triggers:
        kind = KINDS[type(trigger)]
        entity = tenant.model.entities.get(trigger.entity or "")
        name = entity.label.in_language(language) if entity is not None else ""
        events = [str(words) for event, words in EVENTS.items() if getattr(trigger, event, False)]
        fields = [_field(entity, key, language) for key in sorted(getattr(trigger, "changed", ()) or ())]
        linked = getattr(trigger, "linked", "") or getattr(trigger, "unlinked", "")
        if kind in ("record", "before"):
            what = [*events, *fields, *_stages(entity, trigger, language), *([linked] if linked else [])]
            words = _("%(thing)s: %(what)s", thing=name, what=", ".join(what))
            found.append(_("Before saving %(what)s", what=words) if kind == "before" else words)
        elif kind == "schedule":
            found.append(f"{name}: {getattr(trigger, 'cron', '')}" if name else str(getattr(trigger, "cron", "")))
        elif kind == "date":
            found.append(f"{name}: {_field(entity, getattr(trigger, 'field', ''), language)}")
        elif kind == "button":
            label = trigger.label.in_language(language) if isinstance(trigger, OnButton) else ""
            found.append(_("Button “%(label)s” on %(thing)s", label=label, thing=name))
        else:
            found.append(str(TRIGGERS.get(kind, kind)))
    return found


def _stages(entity: Any, trigger: Any, language: str) -> list[str]:
    """The stages that a trigger names, in words."""
    labels = {key: s.label for p in entity.pipelines.values() for key, s in p.stages.items()} if entity else {}

    def named(keys: Iterable[str]) -> str:
        shown = (_("any stage") if key == "*" else labels[key].in_language(language) for key in sorted(keys))
        return ", ".join(shown)

    found = []
    if keys := getattr(trigger, "enter", ()):
        found.append(_("enters %(stage)s", stage=named(keys)))
    if keys := getattr(trigger, "leave", ()):
        found.append(_("leaves %(stage)s", stage=named(keys)))
    if keys := getattr(trigger, "stuck", ()):
        found.append(_("too long in %(stage)s", stage=named(keys)))
    return found


def _field(entity: Any, key: str, language: str) -> str:
    field = entity.fields.get(key) if entity is not None else None
    return field.label.in_language(language) if field is not None else key


def outline_of(workflow: Workflow) -> list[tuple[int, Any, str, str, str]]:
    """The steps as they stand: (depth, the verb's words, its own label, what it is about, when)."""
    key, body = next(iter(workflow.bodies.items()), (None, None))
    entity = current_tenant().model.entities.get(key or "")
    language = current_reader().language
    return [
        (
            depth_of(step.place),
            VERBS[verb_of(step)],
            step.label.in_language(language),
            _brief(step, entity, language),
            step.when.source if step.when is not None else "",
        )
        for step in (every_step(body.steps) if body is not None else ())
    ]


def _brief(step: Step, entity: Any, language: str) -> str:
    """What a step is about, in a few words: the entity, the text, the condition."""
    if isinstance(step, (steps.Create, steps.Find)):
        return current_tenant().model.entities[step.entity].label.in_language(language)
    if isinstance(step, steps.Send) and (template := current_tenant().model.emails.get(step.template)) is not None:
        return template.label.in_language(language)
    if isinstance(step, steps.If):
        return step.condition.source
    if isinstance(step, steps.SetValues):
        return ", ".join(_field(entity, key, language) for key in step.values)
    if isinstance(step, steps.Wait) and step.until is not None:
        return step.until.source
    if isinstance(step, steps.Update):
        return step.target.source
    said = getattr(step, "text", None) or getattr(step, "title", None)
    if isinstance(said, Given):
        return said.formula.source if said.formula is not None else str(said.plain or "")
    return ""


def depth_of(place: str) -> int:
    """How deep a step stands: `2.then.0` is inside one block."""
    return min(sum(part.isdigit() for part in place.split(".")) - 1, 4)
