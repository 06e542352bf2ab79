"""What may be read, and what people ask of it: the conditions of every query, and filters that people write."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import sqlalchemy as sa

from trellis.formula.formula import Formula, FormulaError, compile_formula
from trellis.formula.types import BOOLEAN
from trellis.records.kept import Shelf
from trellis.records.merging import lookup
from trellis.records.privacy.leaving_out import leaving_out
from trellis.records.reading.bounded import bounded, check_depth
from trellis.records.reading.counted import NAME, FilterScope
from trellis.records.reading.selection import Selection
from trellis.records.refusal import Fault, Forbidden, Refused

if TYPE_CHECKING:
    from trellis.records.session import Session

Where = Sequence[Formula | str]
OF_ONE_REQUEST = frozenset({"this", "old", "param", "counted"})  # what a formula may use that is no reader's
_filters = Shelf()
_readable = Shelf()


def require_readable(session: Session, entity: str, *, deleted: bool | None = False) -> None:
    """Missing for what is no entity, Forbidden for one that this person reads nothing of.

    The bin itself (`deleted=True`) is for those who may take something out of it or delete it for good.
    """
    session.entity(entity)
    if not session.permit.may("read", entity):
        raise Forbidden(entity, "read")
    if deleted and not any(session.permit.may(action, entity) for action in ("restore", "delete")):
        raise Forbidden(entity, "restore")


def readable_fields(session: Session, entity: str) -> list[str]:
    """The fields that this person may see."""
    key = (session.model.hash, session.permit.cache_key, entity)
    known: tuple[str, ...] | None = _readable.known(key)
    if known is None:
        definition = session.entity(entity)
        modes = session.permit.modes(entity)
        known = tuple(
            name
            for name, field in definition.fields.items()
            if modes.get(name) != "hidden" and (field.stored or field.is_derived)
        )
        _readable.keep(key, known)
    return list(known)


def restrict(
    selection: Selection,
    formulas: Sequence[Formula],
    *,
    q: str | None = None,
    deleted: bool | None = False,
    action: str = "read",
    many: bool = False,
) -> list[sa.ColumnElement[bool]]:
    """The conditions of every query: live (or in the bin; None: either), within reach, matching filters and search.

    `many`: of a list, a figure or a choice, which leave out those whose data is not to be worked with.
    """
    table = selection.alias.c
    conditions: list[sa.ColumnElement[bool]] = []
    if deleted is not None:
        conditions.append(table.deleted_at.is_not(None) if deleted else table.deleted_at.is_(None))
    if deleted:  # what was merged into another record is no part of the bin
        conditions.append(table.id.not_in(lookup.merged(selection.session, selection.entity.key)))
    with selection.catalog.unguarded():
        reach = selection.session.permit.reach(action, selection.scope)
    if reach is not None:
        conditions.append(reach)
    for formula in formulas:
        if isinstance(formula, Asked):
            conditions.append(formula.predicate(selection.scope))
        else:  # the Model's own: what it reads is not for the person to choose
            with selection.catalog.unguarded():
                conditions.append(formula.predicate(selection.scope))
    if q and q.strip():
        conditions.append(selection.matches(q))
    if many and not deleted and (open_ := leaving_out(selection.session, selection.entity, table.id)) is not None:
        conditions.append(open_)
    return conditions


class Asked(Formula):
    """A filter that a person wrote: it sees the rows and fields that this person may read, and nothing else."""


def compile_all(session: Session, entity: str, where: Where) -> tuple[Formula, ...]:
    """Filters as formulas: text comes from a person, who may name only what they may see."""
    return tuple(w if isinstance(w, Formula) else compile_filter(session, entity, w) for w in where)


def compile_filter(session: Session, entity: str, text: str) -> Formula:
    """A person's filter; Refused with the place of what is wrong."""
    key = (session.model.hash, session.permit.cache_key, entity, text)
    known: Formula | None = _filters.known(key)
    if known is not None:
        return known
    try:
        formula = compile_formula(text, FilterScope(session, entity), expected=BOOLEAN)
    except FormulaError as error:
        raise Refused(
            [
                Fault("filter", f.message, "filter", {"offset": f.offset, "length": f.length, "hint": f.hint})
                for f in error.faults
            ]
        ) from error
    check_depth(text)
    asked = Asked(formula.source, formula.node, formula.type, formula.reads, formula.uses)
    if NAME not in asked.uses:  # whether there is such a number is asked anew: reports are people's own, too
        _filters.keep(key, asked)
    return asked


def in_time(session: Session, where: Where) -> AbstractContextManager[None]:
    """A person's own filter must not take long; the Model's own are the administrators' to answer for."""
    return bounded(session) if any(isinstance(w, (str, Asked)) for w in where) else nullcontext()


def is_lasting(selection: Selection, formulas: Sequence[Formula]) -> bool:
    """Whether a statement serves later requests too: nothing of this one alone went into it."""
    return selection.is_shareable and not any(f.uses & OF_ONE_REQUEST for f in formulas)
