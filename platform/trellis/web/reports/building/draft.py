"""A report as somebody is building it: what stands in the controls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from werkzeug.datastructures import MultiDict

KINDS = ("summary", "pivot", "trend", "table", "funnel", "forecast", "target", "ageing", "cohort", "rfm")
NEW_MEASURES = ("summary", "pivot", "trend", "forecast", "target", "ageing")  # the kinds that ask for numbers
PARTS = ("day", "week", "month", "quarter", "year", "fiscal_quarter", "fiscal_year")
HOWS = ("count", "sum", "avg", "median", "min", "max", "count_distinct")
OVER = ("running", "share", "change", "rank")
FORMULA = "="  # what the choice of a field says for a formula that is typed
MOST = {"group": 4, "across": 2, "measure": 8, "column": 12}
LONGEST = 2000


@dataclass(frozen=True)
class Row:
    """One group, measure or column: a field with what is made of it, or a formula."""

    key: str = ""
    path: str = ""  # "=": see formula
    part: str = ""  # of a date
    how: str = ""  # of a measure
    over: str = ""
    formula: str = ""
    bands: str = ""
    label: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)  # what the page does not show and keeps


@dataclass(frozen=True)
class Draft:
    """Everything that the page asks."""

    label: str = ""
    entity: str = ""
    kind: str = "summary"
    state: str = ""  # filters, as the address of a list has them
    where: str = ""  # a formula beside them: of a document, which may name params
    groups: tuple[Row, ...] = ()
    across: tuple[Row, ...] = ()
    measures: tuple[Row, ...] = ()
    columns: tuple[Row, ...] = ()
    totals: bool = True
    date: str = ""
    period: str = "month"
    compare: str = ""
    periods: str = "12"
    sort: str = ""
    limit: str = ""
    chart: str = ""
    stack: str = ""
    pipeline: str = ""
    mode: str = "cohort"
    amount: str = ""  # of a funnel, of customers: a field
    event: str = ""  # what brings a cohort back: an entity
    by: str = ""
    at: str = ""
    age: str = ""  # days since
    buckets: str = ""
    target: str = ""  # where targets are: an entity
    value: str = ""
    matches: tuple[str, ...] = ()  # for each group, the field of a target that it meets
    scale: str = ""
    roll_up: bool = False
    kept: Mapping[str, Any] = field(default_factory=dict)  # the rest of a document that this one builds on
    share: str = ""
    roles: tuple[str, ...] = ()

    def rows(self, name: str) -> tuple[Row, ...]:
        """The rows of a section: group, across, measure, column."""
        found: tuple[Row, ...] = getattr(self, SECTIONS[name])
        return found

    def with_rows(self, name: str, rows: tuple[Row, ...]) -> Draft:
        """The same with other rows in a section."""
        changed: dict[str, Any] = {SECTIONS[name]: rows[: MOST[name]]}
        return replace(self, **changed)


SECTIONS = {"group": "groups", "across": "across", "measure": "measures", "column": "columns"}


def begun(entity: str, kind: str = "summary") -> Draft:
    """A report over an entity that says nothing else yet."""
    return Draft(entity=entity, kind=kind, state="view=all", measures=(Row(how="count"),))


def read_draft(form: MultiDict[str, str]) -> Draft:
    """What a form holds."""
    kind = form.get("kind", "")
    said: dict[str, Any] = {name: form.get(name, USUAL.get(name, "")).strip()[:LONGEST] for name in WORDS}
    draft = Draft(
        label=" ".join(form.get("label", "").split()),
        entity=form.get("entity", ""),
        kind=kind if kind in KINDS else KINDS[0],
        state=form.get("state", ""),
        totals="totals" in form or "column-0" not in form,
        share=form.get("share", ""),
        roles=tuple(form.getlist("roles")),
        kept=_json(form.get("kept", "")),
        matches=tuple(form.get(f"match-{n}", "").strip()[:LONGEST] for n in range(MOST["group"])),
        roll_up="roll_up" in form,
        **said,
    )
    for name in SECTIONS:
        draft = draft.with_rows(name, tuple(_row(form, name, n) for n in range(MOST[name]) if f"{name}-{n}" in form))
    return _changed(draft, form.get("do", ""))


USUAL = {"period": "month", "periods": "12", "mode": "cohort"}  # what stands there before anybody has chosen
WORDS = (
    *("where", "date", "period", "compare", "periods", "sort", "limit", "chart", "stack"),
    *("pipeline", "mode", "amount", "event", "by", "at", "age", "buckets", "target", "value", "scale"),
)


def _row(form: MultiDict[str, str], name: str, n: int) -> Row:
    def said(what: str) -> str:
        return form.get(f"{name}-{n}-{what}", "").strip()[:LONGEST]

    return Row(
        form.get(f"{name}-{n}", ""),
        said("path"),
        said("part"),
        said("how"),
        said("over"),
        said("formula"),
        said("bands"),
        said("label"),
        _json(said("more")),
    )


def _json(text: str) -> dict[str, Any]:
    try:
        found = orjson.loads(text) if text else {}
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _changed(draft: Draft, do: str) -> Draft:
    """What a button of the form does: a row more, a row less, another entity."""
    act, _, where = do.partition(" ")
    name, _, number = where.partition(" ")
    if act == "add" and name in SECTIONS:
        return draft.with_rows(name, (*draft.rows(name), Row(how="sum" if name == "measure" else "")))
    if act == "drop" and name in SECTIONS and number.isdigit():
        rows = draft.rows(name)
        return draft.with_rows(name, tuple(r for n, r in enumerate(rows) if n != int(number)))
    if act == "entity":  # fields are of the entity: nothing that was chosen of another one is left
        return replace(begun(draft.entity, draft.kind), label=draft.label, share=draft.share, roles=draft.roles)
    if act == "event":  # of another entity are also the fields that are asked of it
        return replace(draft, by="", at="")
    if act == "target":
        return replace(draft, value="", matches=())
    return draft
