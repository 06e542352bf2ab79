"""Reports in the background: asking for one (202), how it goes, its answer, ending it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, request
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from trellis.api.app import api
from trellis.api.caller import current_caller
from trellis.api.problems import Problem
from trellis.api.representation import json_response
from trellis.api.resources.reports import answer_of, asked_by, told
from trellis.records.refusal import Forbidden
from trellis.records.store import Store
from trellis.reports.background.kept import store_of
from trellis.reports.background.runs import Run, cancel, forget, run_of, runs_of, start
from trellis.reports.places import API
from trellis.reports.run import report_of
from trellis.reports.seen import RIGHT
from trellis.web.context import current_store
from trellis.web.faults import fault_text
from trellis.web.i18n import say
from trellis.web.reports.asked import read_asked
from trellis.web.reports.read import tell_of_records
from trellis.web.reports.variants import kept_parts

AGAIN = "5"  # seconds after which it is worth asking how it goes


@api.post("/reports/<key>/runs")
def start_report_run(key: str) -> Response:
    """Let a report run; its params are the query's, as for its answer. Raises Missing, Forbidden, Refused, Problem."""
    store = current_store()
    report = report_of(store, key, API)
    asked = asked_by(store, report, request.args)
    run = start(store, key, say(report.label), kept_parts(asked), key=_key())
    return json_response(_told(run), 202, headers={"Location": _address(run), "Retry-After": AGAIN})


@api.get("/report-runs")
def list_report_runs() -> Response:
    """The caller's runs of the last day."""
    store = current_store()
    if not store.session.permit.allows(RIGHT):
        raise Forbidden("report", RIGHT)
    return json_response({"data": [_told(run) for run in runs_of(store, key=_key())], "next": None})


@api.get("/report-runs/<id>")
def read_report_run(id: str) -> Response:
    """How a run goes. Raises Missing."""
    run = _mine(current_store(), id)
    return json_response(_told(run), headers={"Retry-After": AGAIN} if run.is_open else {})


@api.get("/report-runs/<id>/answer")
def read_report_run_answer(id: str) -> Response:
    """What it has computed; refused where the caller's rights are others by now. Raises Missing, Refused, Problem."""
    store = current_store()
    run = _mine(store, id)
    if run.state != "done":
        raise Problem(409, "not-ready", _("This report is not ready."), state=run.state)
    then = store_of(store, run)
    answer = answer_of(then, read_asked(report_of(then, run.report, API), MultiDict(run.parts)))
    tell_of_records(answer, "api")
    return json_response({**told(answer), "as_of": run.started_at})


@api.delete("/report-runs/<id>")
def end_report_run(id: str) -> Response:
    """Cancel a run, or forget what it has computed. Raises Missing."""
    store = current_store()
    run = _mine(store, id)
    cancel(store, run) if run.is_open else forget(store, run)
    return Response(status=204)


def _mine(store: Store, id: str) -> Run:
    if not store.session.permit.allows(RIGHT):
        raise Forbidden("report", RIGHT)
    return run_of(store, id, key=_key())


def _key() -> UUID | None:
    key = current_caller().key
    return key.id if key is not None else None


def _address(run: Run) -> str:
    return f"{request.script_root}/api/v1/report-runs/{run.id}"


def _told(run: Run) -> dict[str, Any]:
    return {
        "id": str(run.id),
        "report": run.report,
        "label": run.label,
        "state": run.state,
        "asked_at": run.asked_at,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "kept_until": run.until,
        "error": fault_text(run.why) if run.why is not None else None,
        "answer": f"{_address(run)}/answer" if run.state == "done" else None,
    }
