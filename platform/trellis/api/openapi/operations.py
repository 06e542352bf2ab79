"""Operations of an entity: what may be asked, what is answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trellis.api.openapi.schemas import UUID_TEXT, ref, schema_name
from trellis.api.scope import linked_lists, readable, writable
from trellis.api.streams import CSV, LINES
from trellis.automation.documents.maker import languages_of, offered
from trellis.model.entity import Entity
from trellis.model.fields.files import FileField
from trellis.records.pools.claiming import LONGEST, MOST
from trellis.records.pools.place import open_pools
from trellis.records.pools.which import pools_of
from trellis.records.store import Store
from trellis.web.i18n import say

Schema = dict[str, Any]
JSON = "application/json"
PROBLEM = "application/problem+json"
REFUSALS = {
    "400": "The request cannot be read.",
    "401": "No key, or one that is wrong, expired or revoked.",
    "403": "The key or the role does not allow it.",
    "404": "There is no such record, or the caller may not see it.",
    "412": "The record has changed since the version in If-Match.",
    "413": "Too much at once.",
    "415": "The body is not JSON.",
    "422": "Refused: what breaks rules is told in `errors`, each with its field.",
    "428": "If-Match is missing.",
    "429": "Too many requests.",
}
ALWAYS = ("400", "401", "403", "404", "429")
WRITES = (*ALWAYS, "413", "415", "422")


def parameter(name: str, schema: Schema, doc: str, *, where: str = "query", required: bool = False) -> Schema:
    """A parameter."""
    found: Schema = {"name": name, "in": where, "schema": schema, "description": doc}
    return {**found, "required": True} if required else found


PARAMETERS: dict[str, Schema] = {
    "id": parameter("id", UUID_TEXT, "The record.", where="path", required=True),
    "fields": parameter("fields", {"type": "string"}, "Field paths, with commas: `name,account.name`; over links too."),
    "filter": parameter("filter", {"type": "string"}, 'A formula: `amount > 1000 and stage_type == "open"`.'),
    "sort": parameter("sort", {"type": "string"}, "Field paths, with commas; `-` before one sorts downwards."),
    "limit": parameter("limit", {"type": "integer", "minimum": 1, "maximum": 1000}, "How many at once; usually 50."),
    "cursor": parameter("cursor", {"type": "string"}, "`next` of the page before."),
    "q": parameter("q", {"type": "string"}, "A search as people type it."),
    "count": parameter("count", {"enum": ["exact", "capped", "none"]}, "Count what matches; capped stops at 10,000."),
    "view": parameter("view", {"type": "string"}, "A view of the entity, or one that you have saved."),
    "deleted": parameter("deleted", {"type": "boolean"}, "The records in the bin instead."),
    "updated_since": parameter(
        "updated_since",
        {"type": "string", "format": "date-time"},
        "A change feed: what was changed or deleted from then on, the oldest change first.",
    ),
    "as_of": parameter(
        "as_of", {"type": "string", "format": "date-time"}, "The record as it was then, as far as the history tells."
    ),
    "confirm": parameter("confirm", {"type": "boolean"}, "false makes warnings (likely duplicates) refusals."),
    "before": parameter("before", {"type": "integer", "minimum": 0}, "`next` of the page before."),
    "If-Match": parameter(
        "If-Match", {"type": "string"}, "The ETag that was read, or `*` for any.", where="header", required=True
    ),
    "Idempotency-Key": parameter(
        "Idempotency-Key",
        {"type": "string", "minLength": 1, "maxLength": 255},
        "Sent again with the same key within 24 hours, a request is done once.",
        where="header",
    ),
}


def named(*names: str) -> list[Schema]:
    """Parameters by name."""
    return [{"$ref": f"#/components/parameters/{name}"} for name in names]


def answers(status: str, doc: str, schema: Schema | None, refusals: Sequence[str]) -> Schema:
    """The answers of an operation."""
    good: Schema = {"description": doc}
    if schema is not None:
        good["content"] = {JSON: {"schema": schema}}
    return {status: good, **{code: {"$ref": f"#/components/responses/{code}"} for code in refusals}}


def page_of(schema: Schema, **more: Schema) -> Schema:
    """A page of a list."""
    properties = {"data": {"type": "array", "items": schema}, "next": {"type": ["string", "null"]}, **more}
    return {"type": "object", "properties": properties, "required": ["data", "next"]}


def json_body(schema: Schema) -> Schema:
    """A body that must be sent."""
    return {"required": True, "content": {JSON: {"schema": schema}}}


class Operations:
    """The paths of one entity, as far as the caller may use them."""

    def __init__(self, store: Store, entity: Entity) -> None:
        self.store = store
        self.entity = entity
        self.name = schema_name(entity)
        self.paths: dict[str, Schema] = {}

    def make(self) -> dict[str, Schema]:
        """All of them."""
        if self._may("read"):
            self._reading()
        if self._may("create"):
            self._add("", "post", "create", self._write("201", f"{self.name}Create", named("confirm")))
        if self._may("update"):
            changing = named("id", "If-Match", "confirm")
            self._add("/{id}", "patch", "update", self._write("200", f"{self.name}Patch", changing, ("412", "428")))
            if self.entity.pipelines:
                self._moving()
        self._linking()
        if self._may("read") and not self.entity.part_of and not self.entity.internal:
            self._sharing()
            self._pools()
        if self._may("delete"):
            told = answers("204", "In the bin.", None, (*ALWAYS, "412", "422", "428"))
            self._add(
                "/{id}",
                "delete",
                "delete",
                {"parameters": named("id", "If-Match", "Idempotency-Key"), "responses": told},
            )
        if self._may("restore"):
            told = answers("200", "The record.", ref(self.name), (*ALWAYS, "422"))
            self._add(
                "/{id}/restore",
                "post",
                "restore",
                {"parameters": named("id", "Idempotency-Key"), "responses": told},
            )
        if self.entity.key in self.store.tenant.model.conversions and self._may("convert"):
            self._converting()
        if self.store.may_merge(self.entity.key):
            self._merging()
        if any(self._may(action) for action in ("create", "update", "delete")):
            self._bulk()
        self._files()
        self._papers()
        return self.paths

    def _may(self, action: str) -> bool:
        return self.store.may(action, self.entity.key)

    def _add(self, path: str, method: str, what: str, operation: Schema) -> None:
        described = {"operationId": f"{what}_{self.entity.key}", "tags": [say(self.entity.plural)]}
        self.paths.setdefault(f"/{self.entity.key}{path}", {})[method] = described | operation

    def _write(self, status: str, schema: str, parameters: list[Schema], more: Sequence[str] = ()) -> Schema:
        return {
            "parameters": [*parameters, *named("Idempotency-Key")],
            "requestBody": json_body(ref(schema)),
            "responses": answers(status, "The record as it is now.", ref(self.name), (*WRITES, *more)),
        }

    def _reading(self) -> None:
        usual = ("filter", "q", "sort", "fields", "view", "limit", "cursor", "count", "deleted", "updated_since")
        page = page_of(ref(self.name), count=ref("Count"))
        told = answers("200", "A page of records.", page, (*ALWAYS, "422"))
        if self._may("export") and self.entity.features.export:
            told["200"]["description"] = "A page of records; as a stream, all of them."
            told["200"]["content"] |= {kind: {"schema": {"type": "string"}} for kind in (*LINES, CSV)}
        self._add("", "get", "list", {"parameters": named(*usual), "responses": told})
        told = answers("200", "The record; its version is the ETag.", ref(self.name), (*ALWAYS, "422"))
        self._add("/{id}", "get", "read", {"parameters": named("id", "fields", "as_of"), "responses": told})
        told = answers("200", "Changes, the newest first.", page_of(ref("Change")), ALWAYS)
        told["200"]["content"][JSON]["schema"]["properties"]["next"] = {"type": ["integer", "null"]}
        self._add(
            "/{id}/history", "get", "history_of", {"parameters": named("id", "limit", "before"), "responses": told}
        )
        told = answers("200", "The lists that have a name.", page_of({"type": "object"}), ALWAYS)
        self._add("/views", "get", "views_of", {"responses": told})

    def _moving(self) -> None:
        fields = sorted({p.field for p in self.entity.pipelines.values()})
        stages = sorted({stage for p in self.entity.pipelines.values() for stage in p.stages})
        body: Schema = {
            "type": "object",
            "properties": {
                "stage": {"enum": stages},
                "pipeline": {"enum": [*self.entity.pipelines, None]},
                "field": {"enum": fields},
                "set": ref(f"{self.name}Patch"),
                "checklist": {"type": "array", "items": {"type": "string"}},
            },
            "required": ["stage"],
            "additionalProperties": False,
        }
        told = answers("200", "The record as it is now.", ref(self.name), (*WRITES, "412", "428"))
        parameters = named("id", "If-Match", "confirm", "Idempotency-Key")
        operation = {"parameters": parameters, "requestBody": json_body(body), "responses": told}
        self._add("/{id}/move", "post", "move", operation)

    def _converting(self) -> None:
        targets = list(self.store.tenant.model.conversions[self.entity.key].into)
        existing = {"type": "object", "properties": {"existing": UUID_TEXT}, "required": ["existing"]}
        new = {"type": "object", "properties": {"new": {"type": "object"}}, "required": ["new"]}
        choice: Schema = {"anyOf": [{"enum": ["new", "skip"]}, existing, new]}
        body = {"type": "object", "properties": dict.fromkeys(targets, choice), "additionalProperties": False}
        proposals = page_of({"type": "object"})
        told = answers("200", "What it would become, and what looks like it.", proposals, (*ALWAYS, "422"))
        self._add("/{id}/convert", "get", "propose", {"parameters": named("id"), "responses": told})
        told = answers("200", "What it became.", {"type": "object"}, WRITES)
        parameters = named("id", "Idempotency-Key")
        operation = {"parameters": parameters, "requestBody": json_body(body), "responses": told}
        self._add("/{id}/convert", "post", "convert", operation)

    def _merging(self) -> None:
        body: Schema = {
            "type": "object",
            "properties": {
                "losers": {"type": "array", "items": UUID_TEXT, "minItems": 1, "maxItems": 9},
                "take": {"type": "object", "additionalProperties": UUID_TEXT},
            },
            "required": ["losers"],
            "additionalProperties": False,
        }
        told = answers("200", "The record that stays.", ref(self.name), WRITES)
        parameters = named("id", "Idempotency-Key")
        operation = {"parameters": parameters, "requestBody": json_body(body), "responses": told}
        self._add("/{id}/merge", "post", "merge", operation)

    def _linking(self) -> None:
        names = linked_lists(self.store, self.entity)
        if not names:
            return
        listed = parameter("list", {"enum": names}, "A links field, or a list of what links here.", where="path")
        listed["required"] = True
        given: Schema = {
            "type": "object",
            "properties": {"id": UUID_TEXT, "columns": {"type": "object"}},
            "required": ["id"],
            "additionalProperties": False,
        }
        base = [*named("id"), listed]
        doc = "The linked records, with `_link` for the link's own columns."
        told = answers("200", doc, page_of(ref("Linked")), (*ALWAYS, "422"))
        if self._may("read"):
            parameters = [*base, *named("fields", "sort", "limit", "cursor")]
            self._add("/{id}/links/{list}", "get", "links_of", {"parameters": parameters, "responses": told})
        if not self._may("update"):
            return
        told = answers("204", "Linked.", None, WRITES)
        self._add(
            "/{id}/links/{list}",
            "post",
            "link",
            {
                "parameters": [*base, *named("Idempotency-Key")],
                "requestBody": json_body(given),
                "responses": told,
            },
        )
        target = parameter("target", UUID_TEXT, "The linked record.", where="path", required=True)
        told = answers("204", "Not linked any more.", None, (*ALWAYS, "422"))
        self._add(
            "/{id}/links/{list}/{target}",
            "delete",
            "unlink",
            {"parameters": [*base, target, *named("Idempotency-Key")], "responses": told},
        )

    def _sharing(self) -> None:
        told = answers("200", "Who the record is shared with.", page_of(ref("Share")), ALWAYS)
        self._add("/{id}/shares", "get", "shares_of", {"parameters": named("id"), "responses": told})
        if not self._may("share"):
            return
        rights: Schema = {"level": {"enum": ["read", "write"]}, "until": {"type": ["string", "null"], "format": "date"}}
        whom: Schema = {
            "type": "object",
            "properties": {"entity": {"enum": ["user", "team"]}, "id": UUID_TEXT},
            "required": ["entity", "id"],
        }
        given: Schema = {
            "type": "object",
            "properties": {"with": whom, **rights},
            "required": ["with"],
            "additionalProperties": False,
        }
        keyed = named("id", "Idempotency-Key")
        told = answers("201", "The share.", ref("Share"), WRITES)
        operation: Schema = {"parameters": keyed, "requestBody": json_body(given), "responses": told}
        self._add("/{id}/shares", "post", "share", operation)
        one = [*keyed, parameter("share", UUID_TEXT, "The share.", where="path", required=True)]
        given = {"type": "object", "properties": rights, "additionalProperties": False}
        told = answers("200", "The share as it is now.", ref("Share"), WRITES)
        operation = {"parameters": one, "requestBody": json_body(given), "responses": told}
        self._add("/{id}/shares/{share}", "patch", "change_share", operation)
        told = answers("204", "It is shared no more.", None, (*ALWAYS, "422"))
        self._add("/{id}/shares/{share}", "delete", "end_share", {"parameters": one, "responses": told})

    def _pools(self) -> None:
        if self.entity.key not in pools_of(self.store.tenant.model).of:
            return
        keys = [pool.key for pool in open_pools(self.store) if pool.entity == self.entity.key]
        told = answers("200", "The pools, with how much one may still claim.", page_of(ref("Pool")), ALWAYS)
        self._add("/pools", "get", "pools_of", {"responses": told})
        if not keys or not self.store.session.permit.covers("update", self.entity.key):
            return
        which = parameter("pool", {"enum": keys}, "The pool.", where="path", required=True)
        ids: Schema = {"type": "array", "items": UUID_TEXT, "minItems": 1, "maxItems": MOST}
        told = answers("200", "An outcome for each record.", ref("PoolOutcomes"), WRITES)
        for act, more in (("claim", {}), ("assign", {"to": UUID_TEXT})):
            given: Schema = {
                "type": "object",
                "properties": {"ids": ids, **more},
                "required": ["ids", *more],
                "additionalProperties": False,
            }
            asked = {"parameters": [which, *named("Idempotency-Key")], "requestBody": json_body(given)}
            self._add(f"/pools/{{pool}}/{act}", "post", f"{act}_from_pool", {**asked, "responses": told})
        told = answers("204", "Back in the pool.", None, (*ALWAYS, "422"))
        given = {"type": "object", "properties": {"reason": {"type": "string", "maxLength": LONGEST}}}
        keyed = {"parameters": named("id", "Idempotency-Key")}
        self._add("/{id}/release", "post", "release", {**keyed, "requestBody": json_body(given), "responses": told})
        told = answers("204", "It stays with its owner.", None, (*ALWAYS, "422"))
        self._add("/{id}/lock", "post", "lock", {**keyed, "responses": told})
        told = answers("204", "It is locked no more.", None, (*ALWAYS, "422"))
        self._add("/{id}/lock", "delete", "unlock", {**keyed, "responses": told})

    def _bulk(self) -> None:
        many = self.store.may_change_many(self.entity.key)
        allowed = [a for a in ("create", "update", "delete") if self._may(a) and (many or a == "create")]
        if not allowed:
            return
        operations = [*allowed, *(["upsert"] if {"create", "update"} <= set(allowed) else [])]
        row = {"type": "object"}
        body: Schema = {
            "type": "object",
            "properties": {
                "operation": {"enum": operations},
                "rows": {"type": "array", "items": row, "minItems": 1, "maxItems": 5000},
                "match": {"type": "string", "description": "upsert: the field that records are recognised by."},
                "all_or_nothing": {"type": "boolean"},
            },
            "required": ["operation", "rows"],
            "additionalProperties": False,
        }
        told = answers("200", "An outcome for each row.", ref("Outcomes"), WRITES)
        told["422"] = {  # with `all_or_nothing`, when it is nothing: which row was refused
            "description": "Refused; with `all_or_nothing` an outcome for each row.",
            "content": {PROBLEM: {"schema": ref("Problem")}, JSON: {"schema": ref("Outcomes")}},
        }
        operation = {
            "parameters": named("Idempotency-Key"),
            "requestBody": json_body(body),
            "responses": told,
        }
        self._add("/bulk", "post", "bulk", operation)

    def _files(self) -> None:
        taken = [f.key for f in writable(self.store, self.entity) if isinstance(f.type, FileField)]
        shown = [f.key for f in readable(self.store, self.entity) if isinstance(f.type, FileField)]
        if taken and (self._may("create") or self._may("update")):
            field = parameter("field", {"enum": taken}, "The field that will hold it.", where="path", required=True)
            part = {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}
            part["required"] = ["file"]
            body = {"required": True, "content": {"multipart/form-data": {"schema": part}}}
            told = answers("201", "The file: give its id to the record.", ref("File"), (*ALWAYS, "413", "422"))
            self._add(
                "/files/{field}", "post", "upload", {"parameters": [field], "requestBody": body, "responses": told}
            )
        if shown and self._may("read"):
            field = parameter("field", {"enum": shown}, "The field that holds it.", where="path", required=True)
            file = parameter("file", UUID_TEXT, "The file's id.", where="path", required=True)
            told = answers("200", "The content.", None, ALWAYS)
            told["200"]["content"] = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
            path = "/{id}/files/{field}/{file}"
            self._add(path, "get", "download", {"parameters": [*named("id"), field, file], "responses": told})

    def _papers(self) -> None:
        made = [one.key for one in offered(self.store, self.entity.key)]
        if not made or not self._may("read"):
            return
        document = parameter("document", {"enum": made}, "Which paper.", where="path", required=True)
        language = parameter("language", {"enum": list(languages_of(self.store))}, "Another than the paper's own.")
        told = answers("200", "The paper.", None, (*ALWAYS, "422"))
        told["200"]["content"] = {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}
        asked = {"parameters": [*named("id"), document, language], "responses": told}
        self._add("/{id}/documents/{document}", "get", "document_of", asked)
