"""What a report shows before anybody has chosen: something of the entity, so that the preview is not empty."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from trellis.records.store import Store
from trellis.web.lists.state import default_columns
from trellis.web.reports.building.draft import NEW_MEASURES, Draft, Row
from trellis.web.reports.building.offers import DAYS, Choice, Offers, age_of, charts_of, offers_of

MOST_COLUMNS = 4
WON = 'stage_type == "won"'
WANTED = ("stage", "status", "owner")  # groups that say something of most entities


def begin_with(store: Store, draft: Draft) -> Draft:
    """The draft with a first group, date or columns where its kind needs one and none is chosen."""
    offers = offers_of(store, draft.entity)
    if draft.kind not in offers.kinds():
        draft = replace(draft, kind="summary")
    if draft.chart and draft.chart not in charts_of(draft.kind):
        draft = replace(draft, chart="", stack="")
    if draft.kind != "target" and draft.where == WON:  # of targets only, and nobody has written it
        draft = replace(draft, where="")
    if draft.kind in NEW_MEASURES and not draft.measures:
        draft = draft.with_rows("measure", (Row(how="count"),))
    if draft.kind in BEGIN:
        return BEGIN[draft.kind](offers, draft)
    if draft.kind == "table" and not draft.columns:
        shown = {f.path for f in offers.shown}
        entity = store.tenant.model.entities[draft.entity]
        paths = [
            p for p in default_columns(entity) if p in shown and p != entity.title_field
        ]  # which stands there anyway
        return draft.with_rows("column", tuple(Row(path=p) for p in paths[:MOST_COLUMNS]))
    if draft.kind == "trend" and not draft.date:
        days = [f.path for f in offers.days if not f.group]
        return replace(draft, date="created_at" if "created_at" in days else days[0] if days else "")
    if draft.kind in ("summary", "pivot") and not draft.date:
        draft = replace(draft, date=_day(offers, "close_date", "ordered_on", "created_at"))
    if draft.kind in ("summary", "pivot") and not draft.groups:
        first = _group(offers)
        return draft.with_rows("group", (Row(path=first),)) if first else draft
    return draft


def _group(offers: Offers) -> str:
    own = [f for f in offers.grouped if not f.group]
    known = {f.path for f in own}
    return next((p for p in WANTED if p in known), "") or next((f.path for f in own if f.kind == "record"), "")


def _day(offers: Offers, *wanted: str) -> str:
    """A date of the records: one that is wanted, else the first that is entered."""
    known = [f.path for f in offers.own_days]
    return next((w for w in wanted if w in known), known[0] if known else "")


def _first(choices: Sequence[Choice], *wanted: str) -> str:
    known = [f.path for f in choices]
    return next((w for w in wanted if w in known), known[0] if known else "")


def _known(path: str, choices: Sequence[Choice]) -> str:
    """A path where it is one of the choices: of another kind it may have been something else."""
    return path if any(f.path == path for f in choices) else ""


def _amount(offers: Offers) -> str:
    """The money of a record, where it has some."""
    return _first([f for f in offers.amounts if f.kind == "money"], "amount", "total")


def _worth(offers: Offers, draft: Draft) -> Draft:
    """The money summed, where nothing but the number of records was asked for."""
    path = _amount(offers)
    is_new = len(draft.measures) == 1 and draft.measures[0].how == "count" and not draft.measures[0].key
    return draft.with_rows("measure", (Row(how="sum", path=path), *draft.measures)) if path and is_new else draft


def _funnel(offers: Offers, draft: Draft) -> Draft:
    known = [key for key, _label in offers.pipelines]
    pipeline = draft.pipeline if draft.pipeline in known else next(iter(known), "")
    return replace(draft, pipeline=pipeline, amount=_known(draft.amount, offers.amounts) or _amount(offers))


def _forecast(offers: Offers, draft: Draft) -> Draft:
    date = draft.date if draft.date in [f.path for f in offers.days] else ""
    return _worth(offers, replace(draft, date=date if date not in ("", "created_at") else _day(offers, "close_date")))


def _ageing(offers: Offers, draft: Draft) -> Draft:
    known = {f.path: f for f in offers.own_days}
    since = known.get(_day(offers, "due_date", "created_at"))
    age = draft.age or (age_of(since) if since is not None else "")
    first = _group(offers)
    draft = replace(draft, age=age, buckets=draft.buckets or "0, 30, 60, 90")
    return draft if draft.groups or not first else draft.with_rows("group", (Row(path=first),))


def _cohort(offers: Offers, draft: Draft) -> Draft:
    event = draft.event if draft.event in offers.events else _key(offers.events, "order", "purchase", "deal")
    own = offers.events.get(event, ())
    links = [f for f in own if f.kind == "record" and f.entities == (draft.entity,)]
    days = sorted((f for f in own if f.kind in DAYS), key=lambda f: f.is_system)
    known = [f.path for f in offers.own_days]
    date = draft.date if draft.date in known else _day(offers, "joined_on", "created_at")
    at = _known(draft.at, days) or _first(days, "order_date", "ordered_on", "at")
    return replace(draft, event=event, by=_known(draft.by, links) or _first(links), at=at, date=date)


def _rfm(offers: Offers, draft: Draft) -> Draft:
    by = _known(draft.by, offers.customers) or _first(offers.customers, "account", "member", "contact")
    at = _known(draft.at, offers.own_days) or _day(offers, "order_date", "ordered_on", "at")
    amount = _known(draft.amount, offers.amounts) or _amount(offers) or _first(offers.amounts)
    return replace(draft, by=by, at=at, amount=amount)


def _target(offers: Offers, draft: Draft) -> Draft:
    target = draft.target if draft.target in offers.targets else _key(offers.targets, "sales_target")
    fields = offers.targets.get(target, ())
    if not draft.groups:
        person = next(
            (f.path for f in offers.fields if f.entities == ("user",) and not f.group and not f.is_system), ""
        )
        day = _day(offers, "stage_since", "close_date")
        rows = [Row(path=person)] if person else []
        rows += [Row(path=day, part="month")] if day else []
        is_won = "stage_type" in offers.labels and not draft.where and draft.state in ("", "view=all")
        draft = replace(draft, date=day, where=WON if is_won else draft.where)
        draft = draft.with_rows("group", tuple(rows))
    value = draft.value
    if not value:
        numbers = sorted((f for f in fields if f.kind in ("money", "number")), key=lambda f: f.is_system)
        path = _first(numbers, "amount", "value", "target")
        value = f"sum({path})" if path else ""
    known = {f.path: f for f in offers.fields}
    matches = [*draft.matches, *[""] * len(draft.groups)][: len(draft.groups)]
    for n, row in enumerate(draft.groups):
        field = known.get(row.path)
        if not matches[n] and field is not None:
            matches[n] = _first([f for f in fields if meets(f, field)], row.path.rpartition(".")[2], "owner", "month")
    return _worth(offers, replace(draft, target=target, value=value, matches=tuple(matches)))


def meets(field: Choice, group: Choice) -> bool:
    """Whether the field of a target can hold what the report groups by."""
    if group.kind in DAYS:
        return field.kind in DAYS and not field.is_system
    return field.kind == group.kind and field.entities == group.entities and not field.is_system


def _key(known: Mapping[str, Sequence[Choice]], *wanted: str) -> str:
    return next((w for w in wanted if w in known), next(iter(known), ""))


BEGIN: Mapping[str, Callable[[Offers, Draft], Draft]] = {
    "funnel": _funnel,
    "forecast": _forecast,
    "ageing": _ageing,
    "cohort": _cohort,
    "rfm": _rfm,
    "target": _target,
}
