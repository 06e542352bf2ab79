"""How a dashboard's filter reaches what a widget shows: a param of its report, a field of its entity, its date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trellis.model.dashboards.dashboard import DashboardFilter, Widget

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trellis.formula.types import Type
    from trellis.model.entity import Entity
    from trellis.model.reports.report import Param, Report

RANGE = "date_range"
ENDS = ("from", "to")  # the params of a report that a date range sets


@dataclass(frozen=True)
class Reach:
    """What a filter sets: `params` of the report, or a comparison with `path`, a formula over its records."""

    params: tuple[str, ...] = ()
    path: str = ""


def reach(
    narrowed: DashboardFilter, widget: Widget, reports: Mapping[str, Report], entities: Mapping[str, Entity]
) -> Reach | None:
    """How a filter reaches a widget; None when it does not."""
    if widget.takes is not None and narrowed.key not in widget.takes:
        return None
    report = reports.get(widget.report or "")
    if report is not None and report.union:
        return _of_union(narrowed, widget, report)
    key = report.entity if report is not None else widget.entity
    entity = entities.get(key or "")
    if entity is None:
        return None
    named = narrowed.fields.get(entity.key) or narrowed.fields.get("")
    if named is not None and _leads(entity, named, entities):
        return Reach(path=named)
    if narrowed.type == RANGE:
        return _range(report, widget)
    param = report.params.get(narrowed.key) if report is not None else None
    if param is not None and narrowed.param is not None and _type(param) == _type(narrowed.param):
        return Reach((narrowed.key,))
    path = _path(narrowed, entity, entities)
    return Reach(path=path) if path else None


def _of_union(narrowed: DashboardFilter, widget: Widget, report: Report) -> Reach | None:
    """How a filter reaches what several entities have in common: the name of its own, or the only one of its kind."""
    if narrowed.type == RANGE:
        return _range(report, widget)
    named = narrowed.fields.get("")
    if named is not None and named.partition(".")[0] in report.names:
        return Reach(path=named)
    if narrowed.param is None:
        return None
    wanted, param = _type(narrowed.param), report.params.get(narrowed.key)
    if param is not None and _type(param) == wanted:
        return Reach((narrowed.key,))
    own = report.names.get(narrowed.key)
    if own is not None and own.kind == wanted.kind and own.entities == wanted.entities:
        return Reach(path=narrowed.key)
    fitting = [name for name, type_ in report.names.items() if wanted.kind == "record" and type_ == wanted]
    return Reach(path=fitting[0]) if len(fitting) == 1 else None


def _range(report: Report | None, widget: Widget) -> Reach | None:
    if report is None or widget.period is not None:
        return None
    ends = tuple(key for key in ENDS if key in report.params)
    if report.date is not None:
        return Reach(ends, report.date.source.strip())
    return Reach(ends) if len(ends) == len(ENDS) else None


def _path(narrowed: DashboardFilter, entity: Entity, entities: Mapping[str, Entity]) -> str:
    """The field of the same name; else the owner, the owner's team, or the only link to what is chosen."""
    if narrowed.param is None:
        return ""
    wanted = _type(narrowed.param)
    same = entity.fields.get(narrowed.key)
    own = same.type.formula_type() if same is not None else None
    is_same = own is not None and own.kind == wanted.kind
    if own is not None and is_same and (not wanted.entities or set(own.entities) & set(wanted.entities)):
        return narrowed.key
    if wanted.kind != "record":
        return ""  # a choice of another name is another question
    target = wanted.entities[0] if wanted.entities else ""
    if target == "user":
        return entity.owner_field or ""
    links = [f.key for f in entity.fields.values() if f.type.formula_type().entities == (target,) and not f.system]
    plain = [key for key in links if entity.fields[key].type.formula_type().kind == "record"]
    if len(plain) == 1:
        return plain[0]
    person = entities.get("user")
    if target == "team" and entity.owner_field and person is not None and "team" in person.fields:
        return f"{entity.owner_field}.team"
    return ""


def _type(param: Param) -> Type:
    return param.field.type.formula_type()


def _leads(entity: Entity, path: str, entities: Mapping[str, Entity]) -> bool:
    """Whether the path leads somewhere from the entity."""
    first, _dot, rest = path.partition(".")
    field = entity.fields.get(first)
    if field is None:
        return False
    return not rest or any(
        key in entities and _leads(entities[key], rest, entities) for key in field.type.formula_type().entities
    )
