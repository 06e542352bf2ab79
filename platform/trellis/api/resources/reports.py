"""Reports: which there are, and their answers; params are the query's, and the reader's permissions hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, request
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from trellis.api.app import api
from trellis.api.problems import bad_request
from trellis.api.representation import json_response
from trellis.formula.types import Value
from trellis.model.numbers import json_number
from trellis.model.reports.keys import BandKey
from trellis.model.reports.report import Report
from trellis.records.refusal import Forbidden, Missing
from trellis.records.store import Store
from trellis.reports.asking import Wishes
from trellis.reports.conditions import both
from trellis.reports.counted import listed
from trellis.reports.drawing import REST
from trellis.reports.own.compiled import own_reports, without_hidden
from trellis.reports.own.rows import PREFIX, Saved, all_saved, id_of, saved_by
from trellis.reports.params import read_params
from trellis.reports.places import API, MOST
from trellis.reports.result import Answer, Heading, Line
from trellis.reports.run import report_of, run
from trellis.reports.seen import RIGHT, reports_of
from trellis.reports.unions import filters_of
from trellis.web.context import current_store
from trellis.web.i18n import say
from trellis.web.reports.asked import Asked, read_asked
from trellis.web.reports.read import tell_of_records
from trellis.web.reports.words import Words

RESERVED = ("sort", "cols", "variant")


@api.get("/reports")
def list_reports() -> Response:
    """The reports that the caller may run, with their params; then those that people have built."""
    return json_response({"data": summaries(current_store()), "next": None})


@api.get("/reports/<key>")
def read_report(key: str) -> Response:
    """A report's answer. Raises Missing, Forbidden, Refused, Problem."""
    store = current_store()
    report = report_of(store, key, API)
    answer = answer_of(store, asked_by(store, report, request.args))
    tell_of_records(answer, "api")
    return json_response(told(answer))


def summaries(store: Store) -> list[dict[str, Any]]:
    """What each report is, for a list of them. Raises Forbidden."""
    if not store.session.permit.allows(RIGHT):
        raise Forbidden("report", RIGHT)
    variants: dict[str, list[Saved]] = {}
    for saved in all_saved(store):
        variants.setdefault(saved.base or "", []).append(saved)
    found = [*reports_of(store, API), *(report for _saved, report in own_reports(store, API))]
    return [_summary(store, report, variants.get(report.key, ())) for report in found]


def asked_by(store: Store, report: Report, args: MultiDict[str, str]) -> Asked:
    """What a request asks of a report: a variant's settings, with its own over them. Raises Problem, Missing."""
    for name in args:
        if name not in report.params and name not in RESERVED:
            raise bad_request(_("“%(name)s” is no param of this report.", name=name), name)
    given = {name: value for name, value in args.items() if name != "variant"}
    parts: list[tuple[str, str]] = []
    if "variant" in args:
        found = saved_by(store, id_of(f"{PREFIX}{args['variant']}"))
        known = without_hidden(store, report, found) if found is not None and found.base == report.key else None
        if known is None:
            raise Missing(f"variant {args['variant']}")
        parts = [(name, value) for name, value in known.parts if name not in given and name != "chart"]
    return read_asked(report, MultiDict([*parts, *given.items()]))


def answer_of(store: Store, asked: Asked, limit: int = MOST[API]) -> Answer:
    """The answer for a program. Raises Refused."""
    return run(store, asked.report, asked.given, Wishes(asked.sort, asked.columns, None, asked.filters, limit, API))


def _summary(store: Store, report: Report, variants: Sequence[Saved]) -> dict[str, Any]:
    chosen = read_params(report, {}, store.principal.reader)
    shown = [kept for saved in variants if (kept := without_hidden(store, report, saved)) is not None]
    return {
        "key": report.key,
        "label": say(report.label),
        "description": say(report.description),
        "type": report.type,
        **_entities(report),
        "module": report.module,
        "params": [
            {
                "key": key,
                "label": say(param.label),
                "type": param.field.type.name,
                "default": param.field.type.to_json(chosen.values[key]) if key in chosen.values else None,
            }
            for key, param in report.params.items()
        ],
        "is_own": report.is_own,
        "variants": [{"id": v.id.hex, "label": v.label, "is_mine": v.is_mine} for v in shown],
    }


def told(answer: Answer) -> dict[str, Any]:
    """An answer as JSON."""
    words = Words(current_store().principal.reader)
    params = answer.report.params
    return {
        "report": answer.report.key,
        "label": say(answer.report.label),
        **_entities(answer.report),
        "params": {k: params[k].field.type.to_json(v) for k, v in answer.chosen.values.items()},
        "columns": [_column(h, words) for h in answer.headings],
        "data": [_line(answer, line, words) for line in answer.lines if line.kind != "total"],
        "total": next((_line(answer, line, words) for line in answer.lines if line.kind == "total"), None),
        "has_more": answer.is_cut,
    }


def _column(heading: Heading, words: Words) -> dict[str, Any]:
    found: dict[str, Any] = {
        "key": heading.key,
        "label": words.text(heading.label),
        "role": heading.role,
        "type": "percent" if heading.as_percent else heading.type.kind,
    }
    if heading.over:
        found["over"] = [words.text(name) for name in heading.over]
    if heading.conditions:
        found["filter"] = both(*heading.conditions)
    return found


def _entities(report: Report) -> dict[str, Any]:
    """Whose records a report is about: an entity's, or those of several."""
    return {"entity": None, "entities": [b.entity for b in report.union]} if report.union else {"entity": report.entity}


def _line(answer: Answer, line: Line, words: Words) -> dict[str, Any]:
    values = [_value(line, h, v, words) for h, v in zip(answer.headings, line.values, strict=True)]
    found: dict[str, Any] = {"kind": line.kind, "depth": line.depth, "values": values}
    if answer.can_drill and line.conditions is not None and answer.report.union:
        found["filters"] = filters_of(current_store(), answer, line.conditions)
    elif answer.can_drill and line.conditions is not None:
        found["filter"] = (
            both(answer.conditions, *line.conditions) if any((answer.conditions, *line.conditions)) else ""
        )
    others = {key: own for key, own in line.behind.items() if own is not None}
    if answer.can_drill and others and not answer.report.union:
        found["records"] = {
            key: {"entity": own.entity or answer.report.entity, "filter": listed(answer, own)}
            for key, own in others.items()
        }
    return found


def _value(line: Line, heading: Heading, value: Value, words: Words) -> Any:
    """A value as the API writes it; a range with its bounds, a name of the platform's own in words."""
    if value is None or value == REST:
        return None
    if isinstance(heading.group, BandKey):
        low, high = heading.group.range(int(value))
        return {
            "from": None if low is None else json_number(low),
            "below": None if high is None else json_number(high),
        }
    return words.text(value) if hasattr(value, "in_language") else value
