"""From what was chosen to the YAML document that it is, and back from a document to the choices."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import yaml
from flask_babel import gettext as _

from trellis.config.reader import read_yaml
from trellis.formula.errors import FormulaError
from trellis.formula.parser import parse
from trellis.formula.syntax import CallNode, MemberNode, NameNode, Node
from trellis.web.lists.desk import open_desk
from trellis.web.pages.saved_views import read_query
from trellis.web.reports.building.draft import FORMULA, HOWS, KINDS, OVER, PARTS, Draft, Row

PATH = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*")
FIELD_HOWS = frozenset(HOWS) - {"count"}  # count(x) counts what x is true of
SLUG = re.compile(r"[^a-z0-9]+")


@dataclass
class Made:
    """A document, and which control each of its parts comes from."""

    data: dict[str, Any]
    places: dict[str, str] = field(default_factory=dict)  # path in the document → name of the control

    @property
    def yaml(self) -> str:
        """The document as an administrator adopts it."""
        return str(yaml.safe_dump(self.data, sort_keys=False, allow_unicode=True, width=110, default_flow_style=False))

    def control(self, path: str) -> str:
        """The control that a part of the document comes from; the nearest above it, else none."""
        while path:
            if path in self.places:
                return self.places[path]
            path = path.rpartition(".")[0]
        return ""


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
        data.setdefault(key, value)
    return made


def _filter(draft: Draft) -> str:
    desk = open_desk(draft.entity, read_query(draft.state))
    found = [f for f in desk.state.formulas(desk.store.principal.reader) if isinstance(f, str)]
    found += [draft.where] if draft.where else []
    return found[0] if len(found) == 1 else " and ".join(f"({part})" for part in found)


def _summary(draft: Draft, made: Made, labels: Mapping[str, str]) -> None:
    _keys(draft, made, "group", "group")
    _measures(draft, made, labels)
    _order(draft, made)
    if draft.limit:
        made.data["limit"] = int(draft.limit) if draft.limit.isdigit() else draft.limit
        made.places["limit"] = "limit"
    _chart(draft, made)


def _pivot(draft: Draft, made: Made, labels: Mapping[str, str]) -> None:
    _keys(draft, made, "group", "rows")
    _keys(draft, made, "across", "columns")
    _measures(draft, made, labels)
    _order(draft, made)
    _chart(draft, made)


def _trend(draft: Draft, made: Made, labels: Mapping[str, str]) -> None:
    made.places |= {name: name for name in ("date", "period", "compare", "periods")}
    if draft.date:
        made.data["date"] = draft.date
    made.data["period"] = draft.period or "month"
    if draft.periods:
        made.data["periods"] = int(draft.periods) if draft.periods.isdigit() else draft.periods
    if draft.compare:
        made.data["compare"] = draft.compare
    _measures(draft, made, labels)
    _chart(draft, made)


def _table(draft: Draft, made: Made, labels: Mapping[str, str]) -> None:
    _keys(draft, made, "column", "columns")
    if draft.totals:
        made.data["totals"] = True
    _order(draft, made)


WRITERS = {"summary": _summary, "pivot": _pivot, "trend": _trend, "table": _table}


def _keys(draft: Draft, made: Made, section: str, word: str) -> None:
    found: dict[str, Any] = {}
    for n, row in enumerate(draft.rows(section)):
        formula = row.formula if row.path == FORMULA else row.path
        if not formula:
            continue
        if row.part and row.path != FORMULA:
            formula = f"{row.part}({formula})"
        key = _free(row.key or _name(row.path, row.part), found)
        more = dict(row.more)
        if row.bands:
            more["bands"] = [_number(each) for each in re.split(r"[,;\s]+", row.bands) if each]
        if row.label:
            more["label"] = row.label
        found[key] = {"formula": formula, **more} if more else formula
        made.places[f"{word}.{key}"] = f"{section}-{n}"
    if found:
        made.data[word] = found
    made.places.setdefault(word, f"{section}-0")


def _measures(draft: Draft, made: Made, labels: Mapping[str, str]) -> None:
    found: dict[str, Any] = {}
    for n, row in enumerate(draft.measures):
        if row.how == FORMULA:
            formula = row.formula
        elif row.how == "count":
            formula = "count()"
        else:
            formula = f"{row.how}({row.path})" if row.path and row.how in HOWS else ""
        if not formula:
            continue
        if row.over in OVER:
            formula = f"{row.over}({formula})"
        key = _free(row.key or _name(row.path if row.how != "count" else "", row.how), found)
        label = row.label or measure_label(row, labels)
        more = {**({"label": label} if label else {}), **row.more}
        found[key] = {"formula": formula, **more} if more else formula
        made.places[f"measures.{key}"] = f"measure-{n}"
    if found:
        made.data["measures"] = found


def measure_label(row: Row, labels: Mapping[str, str]) -> str:
    """What a measure is called while nobody has said."""
    field_label = labels.get(row.path, row.path)
    named = {
        "count": _("Number"),
        "sum": field_label,
        "avg": _("Mean %(field)s", field=field_label),
        "median": _("Median %(field)s", field=field_label),
        "min": _("Least %(field)s", field=field_label),
        "max": _("Most %(field)s", field=field_label),
        "count_distinct": _("Different: %(field)s", field=field_label),
    }
    label = str(named.get(row.how, ""))
    over = {"running": _("running total"), "share": _("share"), "change": _("change"), "rank": _("rank")}
    return f"{label} ({over[row.over]})" if label and row.over in over else label


def _order(draft: Draft, made: Made) -> None:
    if draft.sort:
        made.data["sort"] = [draft.sort]
        made.places["sort"] = "sort"


def _chart(draft: Draft, made: Made) -> None:
    if draft.chart:
        made.data["chart"] = {"type": draft.chart, **({"stack": draft.stack} if draft.stack else {})}
        made.places["chart"] = "chart"


def _name(path: str, more: str) -> str:
    words = ("" if path == FORMULA else path.replace(".", "_"), more if more != FORMULA else "")
    return "_".join(w for w in words if w) or "value"


def _free(key: str, taken: Mapping[str, Any]) -> str:
    name, n = key, 2
    while name in taken:
        name, n = f"{key}_{n}", n + 1
    return name


def _number(text: str) -> int | float | str:
    try:
        return int(text) if text.lstrip("-").isdigit() else float(text)
    except ValueError:
        return text


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
    kept = {key: value for key, value in data.items() if key not in READ}
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
