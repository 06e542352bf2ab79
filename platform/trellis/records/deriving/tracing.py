"""What a formula comes down to: every formula and field that it reads on its way, to tell whether it means the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trellis.formula.naming import TITLE
from trellis.model.fields.choices import ChoiceLike

if TYPE_CHECKING:
    from trellis.formula.formula import Formula
    from trellis.model.entity import Entity
    from trellis.model.field import Field
    from trellis.model.model import Model


@dataclass(frozen=True, slots=True)
class Step:
    """A formula, or a field that one reads, as its entity has it."""

    entity: str
    text: str
    uses: frozenset[str] = frozenset()


def traced(model: Model, entity: str, formula: Formula) -> frozenset[Step]:
    """Everything that the value of a formula depends on, as far as the Model says it."""
    found: set[Step] = set()
    _trace(model, entity, formula, found)
    return frozenset(found)


def _trace(model: Model, entity: str, formula: Formula, found: set[Step]) -> None:
    step = Step(entity, formula.source, formula.uses)
    if step in found:
        return
    found.add(step)
    for path in formula.reads:
        entities: tuple[str, ...] = (entity,)
        for name in path:
            following: list[str] = []
            for each in entities:
                following.extend(_pass(model, each, name, found))
            entities = tuple(dict.fromkeys(following))


def _pass(model: Model, entity: str, name: str, found: set[Step]) -> tuple[str, ...]:
    """Note what a name of an entity means, and give where it leads."""
    definition = model.entities[entity]
    if definition.pipelines:
        found.add(Step(entity, f"stages: {_stages(definition)}"))
    if name == TITLE:
        if definition.title is not None:
            _trace(model, entity, definition.title, found)
        return ()
    field = definition.fields.get(name)
    if field is None:
        inverse = definition.inverses.get(name)
        return () if inverse is None else (inverse.entity,)
    found.add(Step(entity, f"{name}: {_kind(field)}"))
    if field.formula is not None:
        _trace(model, entity, field.formula, found)
    kind = field.type.formula_type()
    return kind.entities if kind.kind in ("record", "records") else ()


def _kind(field: Field) -> str:
    """A field's type with what its values hang on."""
    options = [c.key for c in field.type.options()] if isinstance(field.type, ChoiceLike) else ()
    return f"{type(field.type).__name__} {getattr(field.type, 'scale', None)} {' '.join(options)}"


def _stages(entity: Entity) -> list[tuple[str, str, str]]:
    """The types of an entity's stages: its records have moved with them."""
    return [(p.key, s.key, s.type) for p in entity.pipelines.values() for s in p.stages.values()]
