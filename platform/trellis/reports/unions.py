"""A report over several entities for one reader: which of them it asks, and what it asks each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from trellis.formula.formula import Formula, FormulaError, compile_formula
from trellis.formula.rows import RowsScope
from trellis.formula.scope import EmptyScope
from trellis.model.reports.report import Measure
from trellis.model.reports.union import COMMON
from trellis.model.text import NO_TEXT
from trellis.records.reading.concealed import conceals
from trellis.records.reading.gather import Question
from trellis.records.refusal import Fault, Refused
from trellis.reports import conditions

if TYPE_CHECKING:
    from trellis.formula.types import Type
    from trellis.model.reports.keys import Key
    from trellis.model.reports.report import Report
    from trellis.model.reports.union import Branch
    from trellis.records.store import Store
    from trellis.reports.params import Chosen
    from trellis.reports.result import Answer
    from trellis.storage.tenant import Tenant


class CommonScope(EmptyScope):
    """The common names of a union, for a formula that each of the entities computes in its own way."""

    entity = COMMON

    def __init__(self, names: Mapping[str, Type]) -> None:
        self._names = names

    def member(self, type: Type, name: str) -> Type | None:
        """A common name."""
        return self._names.get(name)


def open_branches(store: Store, report: Report) -> tuple[Branch, ...]:
    """The entities of a union that this person may read, and whose modules are switched on."""
    may = store.session.permit.may
    return tuple(b for b in report.union if may("read", b.entity) and is_on(store.tenant, b.entity))


def is_on(tenant: Tenant, entity: str) -> bool:
    """Whether the entity's module is switched on for the tenant."""
    modules, module = tenant.profile.modules, tenant.model.entities[entity].module
    return modules is None or module is None or module in modules


def asked_branches(store: Store, report: Report) -> tuple[Branch, ...]:
    """The same for a run, which there is none of over nothing. Raises Refused."""
    found = open_branches(store, report)
    if not found:
        message = "Nothing that this report is about is there for you: you may not read it, or it is switched off."
        raise Refused([Fault("nothing", message)])
    return found


def keeps_back(store: Store, report: Report, formula: Formula, place: str | None = None) -> bool:
    """Whether a formula of a report reads what is kept from this person, in any of the entities that it asks."""
    if not report.union:
        return conceals(store.session, report.entity, formula, place)
    for branch in open_branches(store, report):
        own = branch.rows.get(formula.source) or branch.measures.get(formula.source)
        if own is not None and conceals(store.session, branch.entity, own, place):
            return True
    return False


def keeps_filter(store: Store, report: Report) -> bool:
    """Whether the report's filter asks for what is kept from this person."""
    if report.union:
        pairs = [(b.entity, b.filter) for b in open_branches(store, report)]
    else:
        pairs = [(report.entity, report.filter)]
    return any(own is not None and conceals(store.session, entity, own.formula) for entity, own in pairs)


def texts_of(store: Store, report: Report, text: str) -> list[tuple[str, str]]:
    """The entities that a report asks, each with a condition as its records are asked."""
    if not report.union:
        return [(report.entity, text)]
    return [(branch.entity, branch.put(text)) for branch in open_branches(store, report)]


def asked_of(
    store: Store, report: Report, chosen: Chosen, branch: Branch, made: dict[str, Any], measures: Sequence[Formula]
) -> Question:
    """A question over the common names as one over an entity's records. Raises Refused."""
    own = conditions.where(store, report, branch.filter, chosen, branch.entity)
    where = (*own, *(branch.put(text) for text in made["where"]))
    keys = tuple(_key(store, report, branch, key) for key in made["keys"])
    values = tuple(_measure(store, report, chosen, branch, m) for m in measures)
    return Question(branch.entity, where, keys, values, variables=made["variables"])


def _key(store: Store, report: Report, branch: Branch, key: Key) -> Key:
    found = branch.rows.get(key.formula.source)
    if found is None:  # made for this look, such as the periods of a number on a dashboard
        scope = conditions.ParamScope.of(store, report, branch.entity)
        found = _seen(branch.put(key.formula.source), scope)
    return replace(key, formula=found)


def _measure(store: Store, report: Report, chosen: Chosen, branch: Branch, formula: Formula) -> Formula:
    found = branch.measures.get(formula.source)
    if found is None:
        scope = RowsScope(conditions.ParamScope.of(store, report, branch.entity))
        found = _seen(branch.put(formula.source), scope)
    return conditions.settled(store, report, Measure("", NO_TEXT, found), chosen, branch.entity).formula


def _seen(source: str, scope: Any) -> Formula:
    try:
        return compile_formula(source, scope)
    except FormulaError as error:
        message = "This report is filtered by something that you may not see."
        raise Refused([Fault("hidden", message)]) from error


def records_of(branch: Branch, texts: Sequence[str]) -> str:
    """Conditions over the common names as a filter of an entity's list."""
    own = branch.only.source if branch.only is not None else ""
    return conditions.both(own, *(branch.put(text) for text in texts if text and not branch.is_kind(text)))


def filters_of(store: Store, answer: Answer, texts: Sequence[str]) -> dict[str, str]:
    """The filters for the lists of the entities that a number is about, by entity."""
    kinds = about(open_branches(store, answer.report), texts)
    return {branch.entity: records_of(branch, (answer.conditions, *texts)) for branch in kinds}


def about(branches: Sequence[Branch], texts: Sequence[str]) -> list[Branch]:
    """The entities whose records may fit conditions, as far as these name a kind."""
    return [branch for branch in branches if not any(branch.is_kind(text) is False for text in texts)]
