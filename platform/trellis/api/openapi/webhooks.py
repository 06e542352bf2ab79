"""The operations of webhooks, which belong to no entity."""

from __future__ import annotations

from typing import Any

from trellis.api.openapi.operations import ALWAYS, WRITES, answers, json_body, page_of
from trellis.api.openapi.schemas import UUID_TEXT, ref
from trellis.api.webhooks.webhook import EVENTS

Schema = dict[str, Any]
MOMENT: Schema = {"type": "string", "format": "date-time"}
MAYBE_MOMENT: Schema = {"type": ["string", "null"], "format": "date-time"}
MAYBE_TEXT: Schema = {"type": ["string", "null"]}
WISHES: dict[str, Schema] = {
    "name": {"type": "string", "maxLength": 100},
    "url": {"type": "string", "description": "It gets a POST request for each event."},
    "entity": {"type": "string", "description": "An entity's key, or `*` for every one."},
    "events": {"type": "array", "items": {"enum": list(EVENTS)}},
    "formula": {**MAYBE_TEXT, "description": "Only when this is true of the record; `old.x` is what it was before."},
    "owner": {**UUID_TEXT, "description": "Messages hold what this person may see."},
}
WEBHOOK: Schema = {
    "type": "object",
    "properties": {
        "id": UUID_TEXT,
        **WISHES,
        "state": {"enum": ["active", "paused", "disabled"]},
        "reason": MAYBE_TEXT,
        "failing_since": MAYBE_MOMENT,
        "created_at": MOMENT,
        "updated_at": MOMENT,
        "secret": {"type": "string", "description": "Only in the answer to its making."},
    },
    "required": ["id", "name", "url", "entity", "events", "owner", "state"],
}
MESSAGE: Schema = {
    "type": "object",
    "properties": {
        "id": UUID_TEXT,
        "at": MOMENT,
        "type": {"type": "string"},
        "record": {**MAYBE_TEXT, "format": "uuid"},
        "state": {"enum": ["waiting", "delivered", "failed"]},
        "tries": {"type": "integer"},
        "next_at": MAYBE_MOMENT,
    },
    "required": ["id", "at", "type", "state"],
}
ATTEMPT: Schema = {
    "type": "object",
    "properties": {
        "at": MOMENT,
        "ms": {"type": "integer"},
        "status": {"type": ["integer", "null"]},
        "error": MAYBE_TEXT,
        "excerpt": MAYBE_TEXT,
    },
}
SCHEMAS = {"Webhook": WEBHOOK, "WebhookMessage": MESSAGE, "WebhookAttempt": ATTEMPT}


def webhook_paths() -> dict[str, Schema]:
    """Every operation of webhooks; for administrators."""
    one, id, message = "/webhooks/{id}", _path("id"), _path("message")
    anywhere = [code for code in ALWAYS if code != "404"]
    bodies = [code for code in WRITES if code != "422"]
    making = [code for code in WRITES if code != "404"]
    secret = {"type": "object", "properties": {"secret": {"type": "string"}}, "required": ["secret"]}
    counted = {"type": "object", "properties": {"count": {"type": "integer"}}, "required": ["count"]}
    whole = {
        "allOf": [ref("WebhookMessage")],
        "properties": {"body": {"type": "string"}, "attempts": {"type": "array", "items": ref("WebhookAttempt")}},
    }
    again = {
        "type": "object",
        "properties": {
            "messages": {"type": "array", "items": UUID_TEXT},
            "since": MOMENT,
            "failed": {"type": "boolean", "description": "With `since`: only what has failed."},
        },
    }
    return {
        "/webhooks": {
            "get": _operation("list_webhooks", "Every webhook", answers("200", "", page_of(ref("Webhook")), anywhere)),
            "post": _operation(
                "create_webhook",
                "Make a webhook; its secret is told this once",
                answers("201", "", ref("Webhook"), making),
                body={"type": "object", "properties": WISHES, "required": ["name", "url", "entity", "events"]},
            ),
        },
        one: {
            "get": _operation("read_webhook", "A webhook", answers("200", "", ref("Webhook"), ALWAYS), id),
            "patch": _operation(
                "change_webhook",
                "Change a webhook, stop it, start it",
                answers("200", "", ref("Webhook"), WRITES),
                id,
                body={"type": "object", "properties": {**WISHES, "state": {"enum": ["active", "paused"]}}},
            ),
            "delete": _operation("delete_webhook", "End a webhook", answers("204", "", None, ALWAYS), id),
        },
        f"{one}/rotate": {
            "post": _operation(
                "rotate_webhook",
                "Another secret; messages carry both signatures for a day",
                answers("200", "", secret, bodies),
                id,
                body={"type": "object", "properties": {"at_once": {"type": "boolean"}}},
            )
        },
        f"{one}/test": {
            "post": _operation(
                "test_webhook",
                "Send a message that means nothing",
                answers("200", "", ref("WebhookAttempt"), ALWAYS),
                id,
            )
        },
        f"{one}/replay": {
            "post": _operation(
                "replay_webhook", "Send messages once more", answers("200", "", counted, bodies), id, body=again
            )
        },
        f"{one}/messages": {
            "get": _operation(
                "list_webhook_messages",
                "What was sent",
                answers("200", "", page_of(ref("WebhookMessage")), ALWAYS),
                id,
                {"name": "state", "in": "query", "schema": {"enum": ["waiting", "delivered", "failed"]}},
                {"name": "cursor", "in": "query", "schema": UUID_TEXT, "description": "`next` of the page before."},
            )
        },
        f"{one}/messages/{{message}}": {
            "get": _operation(
                "read_webhook_message", "A message with every answer", answers("200", "", whole, ALWAYS), id, message
            )
        },
    }


def _path(name: str) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": UUID_TEXT}


def _operation(id: str, doc: str, told: Schema, *parameters: Schema, body: Schema | None = None) -> Schema:
    made: Schema = {"operationId": id, "tags": ["webhooks"], "summary": doc, "responses": told}
    if parameters:
        made["parameters"] = list(parameters)
    if body is not None:
        made["requestBody"] = json_body(body)
    return made
