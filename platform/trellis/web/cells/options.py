"""What a choice field offers, as pages need it: key, label in the reader's language, colour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trellis.model.choice import Choice

if TYPE_CHECKING:
    from trellis.formula.reader import Reader
    from trellis.model.entity import Entity
    from trellis.model.field import Field
    from trellis.model.model import Model

STAGE_COLORS = {"won": "green", "done": "green", "lost": "red", "cancelled": "gray"}
IN_ORDER = ("gray", "azure", "indigo", "purple", "teal", "cyan", "orange", "pink", "blue", "lime", "yellow", "green")


@dataclass(frozen=True, slots=True)
class Option:
    """One value that a choice field may hold."""

    key: str
    label: str
    color: str = "gray"


def options_of(model: Model, entity: Entity, field: Field, reader: Reader) -> Mapping[str, Option]:
    """The options of a choice field by key, in order: its choices, or the stages of the entity's pipelines."""
    language = reader.language
    if stages := stages_of(entity, field):
        return {
            key: Option(key, _stage_label(entity, field, key, language), _stage_color(stage.color, stage.type, at))
            for at, (key, stage) in enumerate(stages.items())
        }
    found: dict[str, Option] = {}
    for at, choice in enumerate(getattr(field.type, "choices", None) or ()):
        if isinstance(choice, Choice):
            color = choice.color or IN_ORDER[(at + 1) % len(IN_ORDER)]
            found[choice.key] = Option(choice.key, choice.label.in_language(language), color)
    return found


def options_of_pipeline(pipeline: Pipeline, language: str) -> dict[str, Option]:
    """The stages of one pipeline as options, in order."""
    return {
        key: Option(key, stage.label.in_language(language), _stage_color(stage.color, stage.type, at))
        for at, (key, stage) in enumerate(pipeline.stages.items())
    }


def stages_of(entity: Entity, field: Field) -> Mapping[str, Stage]:
    """The stages of every pipeline that keeps its stage in the field; empty for any other field.

    A key that several pipelines have is the default one's.
    """
    found: dict[str, Stage] = {}
    for pipeline in sorted(entity.pipelines.values(), key=lambda p: not p.default):
        if pipeline.field == field.key:
            for key, stage in pipeline.stages.items():
                found.setdefault(key, stage)
    return found


def stages_apart(entity: Entity, field: Field, language: str) -> dict[str, dict[str, Option]]:
    """The stages as options by pipeline, where a key is not the same stage in every one; empty where none differs."""
    among = sorted((p for p in entity.pipelines.values() if p.field == field.key), key=lambda p: not p.default)
    found = {pipeline.key: options_of_pipeline(pipeline, language) for pipeline in among}
    for pipeline in among:
        for key, option in found[pipeline.key].items():
            if any(key in other and other[key].label != option.label for other in found.values()):
                return found
    return {}


def _stage_label(entity: Entity, field: Field, key: str, language: str) -> str:
    """What a stage is called; every name, where pipelines that share its key call it differently."""
    among = sorted(entity.pipelines.values(), key=lambda p: not p.default)
    names = [p.stages[key].label.in_language(language) for p in among if p.field == field.key and key in p.stages]
    return " / ".join(dict.fromkeys(names))


def _stage_color(color: str, kind: str, at: int) -> str:
    """A stage's own colour, else one by its meaning, else the next one in order."""
    if color and color != "gray":
        return color
    return STAGE_COLORS.get(kind) or IN_ORDER[at % len(IN_ORDER)]


if TYPE_CHECKING:
    from trellis.model.pipeline import Pipeline, Stage
