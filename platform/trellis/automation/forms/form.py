"""A public form: found by its key, and what was typed into it as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trellis.model.automation.triggers import OnForm
from trellis.model.automation.workflow import Workflow
from trellis.model.fields.base import Invalid
from trellis.records import faults
from trellis.records.kept import kept
from trellis.records.refusal import Fault

if TYPE_CHECKING:
    from trellis.formula.reader import Reader
    from trellis.model.entity import Entity
    from trellis.model.field import Field
    from trellis.model.model import Model

BLANK: tuple[Any, ...] = (None, "", (), [])


@dataclass(frozen=True)
class Form:
    """A form: of which workflow, and what it asks."""

    workflow: Workflow
    trigger: OnForm
    entity: Entity

    @property
    def key(self) -> str:
        """What its address says."""
        return self.trigger.key

    @property
    def fields(self) -> Sequence[Field]:
        """What is asked, in order."""
        return [self.entity.fields[name] for name in self.trigger.fields]

    def label_of(self, field: Field, language: str) -> str:
        """What a field is called towards strangers."""
        return self.trigger.labels.get(field.key, field.label).in_language(language)

    def is_required(self, field: Field) -> bool:
        """Whether a field must be filled in: the form says so, or the entity, and nothing else fills it."""
        is_filled = field.default is not None or field.key in self.trigger.values
        return field.key in self.trigger.required or (field.required and not is_filled)


def forms_of(model: Model) -> Mapping[str, Form]:
    """The forms of the active workflows, by key; the first of two with one key."""

    def find() -> dict[str, Form]:
        found: dict[str, Form] = {}
        for workflow in model.workflows.values():
            for trigger in workflow.triggers:
                if workflow.active and isinstance(trigger, OnForm) and trigger.entity is not None:
                    found.setdefault(trigger.key, Form(workflow, trigger, model.entities[trigger.entity]))
        return found

    made: Mapping[str, Form] = kept((model.hash, "forms"), find)
    return made


def read(form: Form, raw: Mapping[str, Any], reader: Reader) -> tuple[dict[str, Any], list[Fault]]:
    """The values of what was typed, by field; whatever the form does not ask for is left where it is."""
    values: dict[str, Any] = {}
    wrong: list[Fault] = []
    for field in form.fields:
        try:
            value = field.type.parse(raw.get(field.key), reader)
            wrong.extend(faults.invalid(field.key, one) for one in (() if value in BLANK else field.type.check(value)))
        except Invalid as error:
            wrong.append(faults.invalid(field.key, error))
            continue
        except (TypeError, ValueError, AttributeError):  # a program has sent something of another kind
            wrong.append(Fault("invalid", "This is not a value for the field.", field.key))
            continue
        if form.is_required(field) and (value in BLANK or (value is False and field.type.name == "boolean")):
            wrong.append(faults.required(field.key))
        elif value not in BLANK:
            values[field.key] = value
    return values, wrong
