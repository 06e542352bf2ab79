"""Whether a formula reads what is kept from a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trellis.formula.formula import Formula

if TYPE_CHECKING:
    from trellis.records.session import Session


def conceals(session: Session, entity: str, formula: Formula, place: str | None = None) -> bool:
    """Whether one of the paths that a formula reads goes over a field that is hidden or masked.

    `place`: nor may it be one that its `hidden:` keeps from there (list, export, api).
    """
    return any(_conceals(session, (entity,), path, place) for path in formula.reads)


def _conceals(session: Session, entities: tuple[str, ...], path: tuple[str, ...], place: str | None) -> bool:
    if not path:
        return False
    name, *rest = path
    following: list[str] = []
    for entity in entities:
        definition = session.model.entities.get(entity)
        if definition is None:
            continue
        if session.permit.conceals(entity, name):
            return True
        field, inverse = definition.fields.get(name), definition.inverses.get(name)
        if place is not None and field is not None and place in field.hidden:
            return True
        if field is not None and field.type.formula_type().kind in ("record", "records"):
            following += field.type.formula_type().entities or tuple(session.model.entities)
        elif inverse is not None:
            following.append(inverse.entity)
    return bool(rest and following) and _conceals(session, tuple(following), tuple(rest), place)
