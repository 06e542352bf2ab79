"""From what was chosen to the YAML document that it is, and back from a document to the choices."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _

from trellis.config.reader import read_yaml
from trellis.formula.errors import FormulaError
from trellis.formula.parser import parse
from trellis.formula.syntax import CallNode, MemberNode, NameNode, Node
from trellis.web.lists.desk import open_desk
from trellis.web.pages.saved_views import read_query
from trellis.web.reports.building.draft import FORMULA, HOWS, KINDS, OVER, PARTS, Draft, Row
from trellis.web.reports.building.further import READERS, further_keys
from trellis.web.reports.building.further import WRITERS as FURTHER
from trellis.web.reports.building.parts import Made, number_in, put_chart, put_date, put_keys, put_measures, put_order

PATH = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*")
FIELD_HOWS = frozenset(HOWS) - {"count"}  # count(x) counts what x is true of
SLUG = re.compile(r"[^a-z0-9]+")


# ── choices → document ───────────────────────────────────────────────────────────────────────────────────


def document(draft: Draft, labels: Mapping[str, str]) -> Made:
    """The document of a draft. `labels`: what the entity's fields are called, by path."""
    slug = SLUG.sub("-", draft.label.lower()).strip("-") or f"{draft.entity.replace('_', '-')}-report"
    made = Made({"report": slug, "label": draft.label or _("New report")}, {"label": "label"})
    data = made.data
    if draft.kind != "summary":
        data["type"] = draft.kind
    data["entity"] = draft.entity
    if where := _filter(draft):
        data["filter"] = where
        made.places["filter"] = "filter"
    WRITERS[draft.kind](draft, made, labels)
    for key, value in draft.kept.items():
        if key == "chart" and isinstance(value, dict) and isinstance(data.get("chart"), dict):
            data["chart"] = {**value, **data["chart"]}
        elif key in ("event", "target") and isinstance(value, dict) and isinstance(data.get(key), dict):
            data[key] = {**value, **data[key]}
        data.setdefault(key, value)
    return made


def _filter(draft: Draft) -> str:
    desk = open_desk(draft.entity, read_query(draft.state))
    found = [f for f in desk.state.formulas(desk.store.principal.reader) if isinstance(f, str)]
    found += [draft.where] if draft.where else []
    return found[0] if len(found) == 1 else " and ".join(f"({part})" for part in found)


def _summary(draft: Draft, made: Made, labels: Mapping[str, str]) -> None:
    put_date(draft, made)
    put_keys(draft, made, "group", "group")
    put_measures(draft, made, labels)
    put_order(draft, made)
    if draft.limit:
        made.data["limit"] = number_in(draft.limit)
        made.places["limit"] = "limit"
    put_chart(draft, made)


def _pivot(draft: Draft, made: Made, labels: Mapping[str, str]) -> None:
    put_date(draft, made)
    put_keys(draft, made, "group", "rows")
    put_keys(draft, made, "across", "columns")
    put_measures(draft, made, labels)
    put_order(draft, made)
    put_chart(draft, made)


def _trend(draft: Draft, made: Made, labels: Mapping[str, str]) -> None:
    made.places |= {name: name for name in ("date", "period", "compare", "periods")}
    if draft.date:
        made.data["date"] = draft.date
    made.data["period"] = draft.period or "month"
    if draft.periods:
        made.data["periods"] = number_in(draft.periods)
    if draft.compare:
        made.data["compare"] = draft.compare
    put_measures(draft, made, labels)
    put_chart(draft, made)


def _table(draft: Draft, made: Made, labels: Mapping[str, str]) -> None:
    put_keys(draft, made, "column", "columns")
    if draft.totals:
        made.data["totals"] = True
    put_order(draft, made)


WRITERS = {"summary": _summary, "pivot": _pivot, "trend": _trend, "table": _table, **FURTHER}


# ── document → choices ───────────────────────────────────────────────────────────────────────────────────

READ = frozenset(
    "report label type entity filter group rows columns measures sort limit totals date period compare periods".split()
)


def can_build(data: Mapping[str, Any]) -> bool:
    """Whether the builder's page has controls for what a document says."""
    return data.get("type", "summary") in KINDS and isinstance(data.get("entity"), str)


def draft_of(data: Mapping[str, Any], label: str) -> Draft:
    """The choices that a document stands for."""
    kind = str(data.get("type", "summary"))
    group, columns = ("rows" if kind == "pivot" else "group"), data.get("columns")
    chart = data.get("chart") if isinstance(data.get("chart"), dict) else {}
    sort = data.get("sort")
    first = sort[0] if isinstance(sort, list) and sort else sort
    where = str(data.get("filter") or "").strip().removeprefix("=")
    kept = {key: value for key, value in data.items() if key not in READ and key not in further_keys(kind)}
    if not isinstance(first, str) or (isinstance(sort, list) and len(sort) > 1):
        kept["sort"] = sort
    draft = Draft(
        label=label,
        entity=str(data["entity"]),
        kind=kind,
        state="view=all",
        where=where,
        groups=tuple(_rows(data.get(group))),
        across=tuple(_rows(columns)) if kind == "pivot" else (),
        columns=tuple(_rows(columns)) if kind == "table" else (),
        measures=tuple(_measured(data.get("measures"))) or (Row(how="count"),),
        totals=bool(data.get("totals")),
        date=str(data.get("date") or ""),
        period=str(data.get("period") or "month"),
        compare=str(data.get("compare") or ""),
        periods=str(data.get("periods") or ""),
        sort=first if isinstance(first, str) and "sort" not in kept else "",
        limit=str(data.get("limit") or ""),
        chart=str(chart.get("type") or "") if chart else "",
        stack=str(chart.get("stack") or "") if chart else "",
    )
    if kind in READERS:
        more, left = READERS[kind](data)
        draft, kept = replace(draft, **more), {**kept, **left}
    if isinstance(data.get("totals"), dict):
        kept["totals"], draft = data["totals"], replace(draft, totals=False)
    return replace(draft, kept={k: v for k, v in kept.items() if v is not None})


def _entries(data: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    if isinstance(data, dict):
        for key, each in data.items():
            if isinstance(each, dict):
                rest = {k: v for k, v in each.items() if k != "formula"}
                yield str(key), str(each.get("formula", "")), rest
            elif each is not None:
                yield str(key), str(each), {}
    elif data is not None:
        for each in data if isinstance(data, list) else [data]:
            yield "", str(each), {}


def _rows(data: Any) -> Iterator[Row]:
    for key, formula, rest in _entries(data):
        row = replace(_chosen(formula.strip()), key=key, label=str(rest.pop("label", "")))
        bands = rest.pop("bands", None)
        yield replace(row, bands=", ".join(str(b) for b in bands) if isinstance(bands, list) else "", more=rest)


def _chosen(formula: str) -> Row:
    if PATH.fullmatch(formula):
        return Row(path=formula)
    call = _call(formula)
    if call is not None and call.name in PARTS and len(call.args) == 1 and (path := _path(call.args[0])):
        return Row(path=path, part=call.name)
    return Row(path=FORMULA, formula=formula)


def _measured(data: Any) -> Iterator[Row]:
    for key, formula, rest in _entries(data):
        label, over, source = str(rest.pop("label", "")), "", formula.strip()
        call = _call(source)
        if call is not None and call.name in OVER and len(call.args) == 1:
            over, inner = call.name, call.args[0]
            source = source[inner.start : inner.end]
            call = _call(source)
        row = Row(key=key, how=FORMULA, formula=source, label=label, over=over, more=rest)
        if call is not None and call.name == "count" and not call.args:
            row = replace(row, how="count", formula="")
        elif call is not None and call.name in FIELD_HOWS and len(call.args) == 1 and (path := _path(call.args[0])):
            row = replace(row, how=call.name, path=path, formula="")
        yield row


def _call(source: str) -> CallNode | None:
    try:
        node: Node = parse(source)
    except FormulaError:
        return None
    return node if isinstance(node, CallNode) else None


def _path(node: Node) -> str:
    if isinstance(node, NameNode):
        return node.name if PATH.fullmatch(node.name) else ""
    if isinstance(node, MemberNode):
        owner = _path(node.of)
        return f"{owner}.{node.name}" if owner else ""
    return ""


def read_document(text: str) -> dict[str, Any]:
    """A document's data, read as the configuration's is; empty where it is none."""
    found = read_yaml(text, "report.yaml").documents
    return plain(found[0][0]) if found and isinstance(found[0][0], dict) else {}


def plain(data: Any) -> Any:
    """Data as any YAML library writes it: numbers are integers or floats."""
    if isinstance(data, dict):
        return {str(key): plain(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [plain(value) for value in data]
    if isinstance(data, Decimal):
        return int(data) if data == data.to_integral_value() else float(data)
    return data
