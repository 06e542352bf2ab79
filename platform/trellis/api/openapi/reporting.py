"""What the OpenAPI document says of reports: they are addressed by their keys."""

from __future__ import annotations

from trellis.api.openapi.operations import ALWAYS, answers, page_of, parameter
from trellis.api.openapi.schemas import Schema, ref

_VALUES: Schema = {
    "type": "object",
    "properties": {
        "kind": {"type": "string"},
        "values": {"type": "array", "items": {}},
        "filter": {"type": "string", "description": "Lists the records of the line."},
        "records": {
            "type": "object",
            "description": "By column: the entity and the filter of numbers that are of other records.",
        },
    },
}
_REPORT: Schema = {
    "type": "object",
    "properties": {
        "report": {"type": "string"},
        "params": {"type": "object"},
        "columns": {"type": "array", "items": {"type": "object"}},
        "data": {"type": "array", "items": _VALUES},
        "total": {"anyOf": [_VALUES, {"type": "null"}]},
        "has_more": {"type": "boolean"},
    },
    "required": ["report", "params", "columns", "data", "total", "has_more"],
}
_TOLD: Schema = {
    "type": "object",
    "properties": {
        "key": {"type": "string"},
        "label": {"type": "string"},
        "type": {"type": "string"},
        "entity": {"type": ["string", "null"], "description": "Null where it is about several."},
        "entities": {"type": "array", "items": {"type": "string"}, "description": "Those that a union is about."},
        "params": {"type": "array", "items": {"type": "object"}},
        "is_own": {"type": "boolean", "description": "Built by a person, not by the configuration."},
        "variants": {"type": "array", "items": {"type": "object"}, "description": "Settings that people have saved."},
    },
    "required": ["key", "label", "type", "entity", "params", "is_own", "variants"],
}
_RUN: Schema = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "report": {"type": "string"},
        "state": {"enum": ["waiting", "running", "done", "failed", "cancelled"]},
        "kept_until": {"type": "string", "format": "date-time"},
        "error": {"type": ["string", "null"]},
        "answer": {"type": ["string", "null"], "description": "Where its answer is, once it is done."},
    },
    "required": ["id", "report", "state", "kept_until", "error", "answer"],
}


_NOT_READY: Schema = {
    "description": "It is not done.",
    "content": {"application/problem+json": {"schema": ref("Problem")}},
}


def _path(name: str) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def report_paths() -> dict[str, Schema]:
    """Reports, their answers, and those that run in the background."""
    refusals = [code for code in ALWAYS if code != "404"]
    asked = [
        _path("key"),
        parameter("sort", {"type": "string"}, "Columns' keys, with commas; `-` sorts downwards."),
        parameter("cols", {"type": "string"}, "Measures' or columns' keys, with commas; usually all."),
        parameter("variant", {"type": "string"}, "The id of a variant: its settings, with the request's over them."),
    ]
    more = "The report's params are further parameters of the query; `/reports` names them."
    return {
        "/reports": {
            "get": {
                "operationId": "list_reports",
                "tags": ["reports"],
                "description": "The configuration's, then those that people have built and the caller finds.",
                "responses": answers("200", "The reports that the caller may run.", page_of(_TOLD), refusals),
            }
        },
        "/reports/{key}": {
            "get": {
                "operationId": "read_report",
                "tags": ["reports"],
                "description": more,
                "parameters": asked,
                "responses": answers("200", "The answer.", _REPORT, [*ALWAYS, "422"]),
            }
        },
        "/reports/{key}/runs": {
            "post": {
                "operationId": "start_report_run",
                "tags": ["reports"],
                "description": f"For a report that takes too long to wait for. {more}",
                "parameters": asked,
                "responses": answers("202", "It runs; `Location` says how it goes.", _RUN, [*ALWAYS, "422"]),
            }
        },
        "/report-runs": {
            "get": {
                "operationId": "list_report_runs",
                "tags": ["reports"],
                "responses": answers("200", "The caller's runs of the last day.", page_of(_RUN), refusals),
            }
        },
        "/report-runs/{id}": {
            "get": {
                "operationId": "read_report_run",
                "tags": ["reports"],
                "parameters": [_path("id")],
                "responses": answers("200", "How it goes.", _RUN, ALWAYS),
            },
            "delete": {
                "operationId": "end_report_run",
                "tags": ["reports"],
                "parameters": [_path("id")],
                "description": "Cancels a run, or forgets what it has computed.",
                "responses": answers("204", "It is gone.", None, ALWAYS),
            },
        },
        "/report-runs/{id}/answer": {
            "get": {
                "operationId": "read_report_run_answer",
                "tags": ["reports"],
                "description": "409 before it is done; 422 where the caller's rights are others by now.",
                "parameters": [_path("id")],
                "responses": answers("200", "The answer, as of then.", _REPORT, [*ALWAYS, "422"]) | {"409": _NOT_READY},
            }
        },
    }
