"""A workflow's steps in words, as they stand."""

from __future__ import annotations

from typing import Any

from trellis.automation.workflows.context import verb_of
from trellis.model.automation import steps
from trellis.model.automation.steps import Step, every_step
from trellis.model.automation.workflow import Workflow
from trellis.model.given import Given, in_language
from trellis.web.automation_words import VERBS
from trellis.web.context import current_reader, current_tenant
from trellis.web.trigger_words import field_label


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
    if isinstance(step, steps.MakeDocument):
        return current_tenant().model.documents[step.document].label.in_language(language)
    if isinstance(step, steps.If):
        return step.condition.source
    if isinstance(step, steps.SetValues):
        return ", ".join(field_label(entity, key) for key in step.values)
    if isinstance(step, steps.Wait) and step.until is not None:
        return step.until.source
    if isinstance(step, steps.Update):
        return step.target.source
    for said in (getattr(step, "title", None), getattr(step, "text", None)):
        if isinstance(said, Given) and (said.formula is not None or said.plain):
            own = in_language(said, language)
            return own.formula.source if own.formula is not None else str(own.plain)
    return ""


def depth_of(place: str) -> int:
    """How deep a step stands: `2.then.0` is inside one block."""
    return min(sum(part.isdigit() for part in place.split(".")) - 1, 4)
