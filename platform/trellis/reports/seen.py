"""What of the reports one person may see: the right, the roles, the entity, and fields that are hidden."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from trellis.formula.formula import Formula
from trellis.model.reports.keys import LevelKey
from trellis.model.reports.report import Report
from trellis.records.reading.concealed import conceals
from trellis.reports.unions import keeps_back, keeps_filter, open_branches

if TYPE_CHECKING:
    from trellis.records.store import Store

RIGHT = "reports"


def may_run(store: Store, report: Report, place: str | None = None) -> bool:
    """Whether this person may run a report at all."""
    session = store.session
    if not session.permit.allows(RIGHT):
        return False
    if report.roles and not session.permit.is_system and not set(report.roles) & set(store.principal.roles):
        return False
    if not is_on(store, report):
        return False
    if not (open_branches(store, report) if report.union else session.permit.may("read", report.entity)):
        return False
    needed = [k.formula for k in (*report.groups, *report.across)]
    if report.date is not None and report.type not in ("summary", "pivot"):  # of these only dashboards ask for it
        needed.append(report.date)
    if any(keeps_back(store, report, f, place) for f in needed) or _hides_tree(store, report):
        return False
    if report.is_own and _hides_filter(store, report):  # of the configuration's it is not theirs to see
        return False
    if report.type == "accuracy":
        from trellis.reports.schedule.keeping import may_look_back

        kept = store.tenant.model.reports.get(report.spec.of)
        return kept is not None and may_look_back(store, kept)
    spec = report.spec  # of kinds that ask another entity, too
    if (other := getattr(spec, "entity", None)) is not None:
        keys = getattr(spec, "keys", None) or (spec.came, spec.period)
        asked = [*(k.formula for k in keys), getattr(spec, "value", None) or spec.count]
        if not session.permit.may("read", other) or hides(store, other, asked, place):
            return False
    if report.type == "rfm" and hides(store, report.entity, [m.formula for m in report.measures], place):
        return False
    given = [m.formula for m in report.measures] or [c.formula for c in report.columns]
    return not given or any(not keeps_back(store, report, f, place) for f in given)


def is_seen(store: Store, report: Report) -> bool:
    """Whether nothing that a report asks is kept from this person, so that they may know how it is made."""
    parts = [*(m.formula for m in report.measures), *(c.formula for c in report.columns)]
    hidden = any(keeps_back(store, report, f) for f in parts)
    return may_run(store, report) and not _hides_filter(store, report) and not hidden


def formulas_of(report: Report) -> Iterator[tuple[str, Formula]]:
    """Everything that a report asks: entities with the formulas over them."""
    for branch in report.union:
        yield from ((branch.entity, formula) for formula in (*branch.rows.values(), *branch.measures.values()))
        if branch.filter is not None:
            yield branch.entity, branch.filter.formula
    if report.union:
        return
    own = [k.formula for k in (*report.groups, *report.across)]
    own += [*(m.formula for m in report.measures), *(c.formula for c in report.columns)]
    own += [f for f in (report.date, report.filter.formula if report.filter is not None else None) if f is not None]
    yield from ((report.entity, formula) for formula in own)
    spec = getattr(report.spec, "adjust", None) or report.spec
    other = getattr(spec, "entity", None)
    if other is not None:
        keys = getattr(spec, "keys", None) or (spec.came, spec.period)
        asked = [*(k.formula for k in keys), getattr(spec, "value", None) or spec.count]
        condition = getattr(spec, "filter", None)
        yield from ((other, formula) for formula in (*asked, *([condition.formula] if condition is not None else [])))


def _hides_filter(store: Store, report: Report) -> bool:
    other = getattr(report.spec, "filter", None)
    return keeps_filter(store, report) or (other is not None and hides(store, report.spec.entity, [other.formula]))


def _hides_tree(store: Store, report: Report) -> bool:
    levels = (k for k in (*report.groups, *report.across) if isinstance(k, LevelKey))
    return any(store.session.permit.conceals(k.type.entities[0], k.parent) for k in levels)


def is_on(store: Store, report: Report) -> bool:
    """Whether the module of the report and of its entity is switched on for the tenant."""
    modules = store.tenant.profile.modules
    if report.union:  # each of its entities is asked whose module is on
        return modules is None or report.module is None or report.module in modules
    entity = store.tenant.model.entities[report.entity]
    return modules is None or all(m is None or m in modules for m in (report.module, entity.module))


def hides(store: Store, entity: str, formulas: Iterable[Formula], place: str | None = None) -> bool:
    """Whether a formula reads what is kept from this person."""
    return any(conceals(store.session, entity, f, place) for f in formulas)


def reports_of(store: Store, place: str | None = None) -> list[Report]:
    """Every report that this person may run, in the order of the configuration."""
    return [r for r in store.tenant.model.reports.values() if may_run(store, r, place)]
