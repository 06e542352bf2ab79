"""Kinds of reports that ask more than groups and numbers: how their choices are YAML, and back."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from trellis.web.reports.building.draft import FORMULA, PARTS, Draft, Row
from trellis.web.reports.building.parts import Made, number_in, put_chart, put_keys, put_measures, put_order

Write = Callable[[Draft, Made, Mapping[str, str]], None]
Read = Callable[[Mapping[str, Any]], tuple[dict[str, Any], dict[str, Any]]]
WRITERS: dict[str, Write] = {}
READERS: dict[str, Read] = {}
KEYS: dict[str, frozenset[str]] = {}
COHORT = re.compile(rf"({'|'.join(PARTS)})\(\s*([a-z_][a-z0-9_.]*)\s*\)")


def _kind(name: str, keys: str, read: Read) -> Callable[[Write], Write]:
    """Declare how a kind is written and read; `keys`: what of its document the page has controls for."""

    def register(write: Write) -> Write:
        WRITERS[name], READERS[name], KEYS[name] = write, read, frozenset(keys.split())
        return write

    return register


def further_keys(kind: str) -> frozenset[str]:
    """What of a document of the kind the page has controls for, beside what all have."""
    return KEYS.get(kind, frozenset())


def _put(draft: Draft, made: Made, *words: str) -> None:
    for word in words:
        made.places[word] = word
        if text := str(getattr(draft, word)):
            made.data[word] = text


def _text(data: Mapping[str, Any], word: str) -> str:
    found = data.get(word)
    return "" if found is None else str(found).strip().removeprefix("=").strip()


# ── funnel ───────────────────────────────────────────────────────────────────────────────────────────────────


def _read_funnel(data: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    kept = {"measures": data["measures"]} if data.get("measures") else {}
    return {
        "pipeline": _text(data, "pipeline"),
        "mode": _text(data, "mode") or "snapshot",
        "amount": _text(data, "amount"),
    }, kept


@_kind("funnel", "pipeline mode amount", _read_funnel)
def _funnel(draft: Draft, made: Made, labels: Mapping[str, str]) -> None:
    _put(draft, made, "pipeline", "mode")
    if draft.amount and draft.mode == "cohort":
        made.data["amount"] = draft.amount
    made.places["amount"] = "amount"
    if draft.amount and draft.mode != "cohort" and "measures" not in draft.kept:
        row = Row(how="sum", path=draft.amount)
        counted = Made({})
        put_measures(draft.with_rows("measure", (Row(how="count"), row)), counted, labels)
        made.data["measures"] = counted.data["measures"]
    put_chart(draft, made)


# ── forecast ─────────────────────────────────────────────────────────────────────────────────────────────────


def _read_forecast(data: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    return {"roll_up": data.get("roll_up") is True}, {}


@_kind("forecast", "roll_up", _read_forecast)
def _forecast(draft: Draft, made: Made, labels: Mapping[str, str]) -> None:
    _put(draft, made, "date", "period")
    put_keys(draft, made, "group", "group")
    if draft.roll_up:
        made.data["roll_up"] = True
    made.places["roll_up"] = "roll_up"
    put_measures(draft, made, labels)
    put_order(draft, made)
    put_chart(draft, made)


# ── ageing ───────────────────────────────────────────────────────────────────────────────────────────────────


def _read_ageing(data: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    buckets = data.get("buckets")
    shown = ", ".join(str(b) for b in buckets) if isinstance(buckets, list) else ""
    return {"age": _text(data, "age"), "buckets": shown}, {}


@_kind("ageing", "age buckets", _read_ageing)
def _ageing(draft: Draft, made: Made, labels: Mapping[str, str]) -> None:
    _put(draft, made, "age")
    made.places["buckets"] = "buckets"
    if draft.buckets:
        made.data["buckets"] = [number_in(each) for each in re.split(r"[,;\s]+", draft.buckets) if each]
    put_keys(draft, made, "group", "group")
    put_measures(draft, made, labels)
    put_order(draft, made)
    put_chart(draft, made)


# ── cohorts ──────────────────────────────────────────────────────────────────────────────────────────────────


def _read_cohort(data: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    cohort = data.get("cohort")
    if isinstance(cohort, list) and len(cohort) == 1:
        cohort = cohort[0]
    found = COHORT.fullmatch(str(cohort).strip().removeprefix("=").strip()) if isinstance(cohort, str) else None
    event = data.get("event") if isinstance(data.get("event"), dict) else {}
    assert isinstance(event, dict)
    left = {"event": {"filter": event["filter"]}} if event.get("filter") else {}
    more = {"event": _text(event, "entity"), "by": _text(event, "by"), "at": _text(event, "at")}
    if found is None:
        return more, {**left, "cohort": cohort}
    return {**more, "period": found[1], "date": found[2]}, left


@_kind("cohort", "cohort event", _read_cohort)
def _cohort(draft: Draft, made: Made, labels: Mapping[str, str]) -> None:
    made.places |= {"cohort": "date", "period": "period", "periods": "periods", "event": "event"}
    if draft.date:
        made.data["cohort"] = f"{draft.period or 'month'}({draft.date})"
    event = {"entity": draft.event, "by": draft.by, "at": draft.at}
    if draft.event:
        made.data["event"] = {word: text for word, text in event.items() if text}
    made.places |= {f"event.{word}": word for word in ("by", "at")}
    if draft.periods:
        made.data["periods"] = number_in(draft.periods)


# ── customers by recency, frequency and money ────────────────────────────────────────────────────────────────


def _read_rfm(data: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    return {word: _text(data, word) for word in ("by", "at", "amount", "scale")}, {}


@_kind("rfm", "by at amount scale", _read_rfm)
def _rfm(draft: Draft, made: Made, labels: Mapping[str, str]) -> None:
    _put(draft, made, "by", "at", "amount", "scale")


# ── targets ──────────────────────────────────────────────────────────────────────────────────────────────────


def _read_target(data: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    target = data.get("target") if isinstance(data.get("target"), dict) else {}
    assert isinstance(target, dict)
    match = target.get("match") if isinstance(target.get("match"), dict) else {}
    assert isinstance(match, dict)
    group = data.get("group")
    pairs = list(group.items()) if isinstance(group, dict) else [(str(g), g) for g in group or ()]
    found = []
    for key, written in pairs:
        formula = str(written.get("formula", "") if isinstance(written, dict) else written).strip()
        inner = COHORT.fullmatch(formula)
        said = match.get(key) or match.get(formula) or (match.get(inner[2]) if inner else None) or ""
        found.append(str(said))
    left = {"target": {"filter": target["filter"]}} if target.get("filter") else {}
    return {"target": _text(target, "entity"), "value": _text(target, "value"), "matches": tuple(found)}, left


@_kind("target", "target", _read_target)
def _target(draft: Draft, made: Made, labels: Mapping[str, str]) -> None:
    made.places |= {"date": "date", "target": "target", "target.value": "value"}
    if draft.date:
        made.data["date"] = draft.date
    put_keys(draft, made, "group", "group")
    put_measures(draft, made, labels)
    if draft.target:
        chosen = [row for row in draft.groups if (row.formula if row.path == FORMULA else row.path)]
        keys = list(made.data.get("group", {}))
        places = [n for n, row in enumerate(draft.groups) if row in chosen]
        match = {}
        for key, n in zip(keys, places, strict=False):
            made.places[f"target.match.{key}"] = f"match-{n}"
            if n < len(draft.matches) and draft.matches[n]:
                match[key] = draft.matches[n]
        made.data["target"] = {
            "entity": draft.target,
            **({"value": draft.value} if draft.value else {}),
            **({"match": match} if match else {}),
        }
    put_order(draft, made)
    put_chart(draft, made)
