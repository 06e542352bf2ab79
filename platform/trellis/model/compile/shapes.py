"""Checks the shape of every document: its kind is known, and its schema holds."""

from __future__ import annotations

from functools import cache
from typing import Any

from trellis.config.layer import Document
from trellis.config.phrase import phrase
from trellis.config.problem import Problem, did_you_mean
from trellis.config.shape import ShapeValidator, check_shape, export
from trellis.model.compile.context import Context
from trellis.model.kinds import KINDS
from trellis.model.kinds.definitions import definitions


@cache
def _definitions() -> dict[str, Any]:
    return definitions()


@cache
def schema_of(kind: str) -> dict[str, Any]:
    """The schema of a kind with the schemas it refers to."""
    return {**KINDS[kind].schema, "definitions": _definitions()}


@cache
def _validator(kind: str) -> Any:
    return ShapeValidator(schema_of(kind))


def editor_schema(kind: str) -> dict[str, Any]:
    """The schema of a kind in plain draft 7, for editors."""
    return {"$schema": "http://json-schema.org/draft-07/schema#", "title": kind, **export(schema_of(kind))}


def check_shapes(ctx: Context) -> None:
    """Check every document of the configuration."""
    for document in [*ctx.configuration, *ctx.configuration.tests]:
        ctx.problems += check_document(document)


def check_document(document: Document) -> list[Problem]:
    """What is wrong with a document by itself."""
    if document.kind not in KINDS:
        hint = did_you_mean(document.kind, KINDS)
        if not hint.startswith("did"):
            later = next((key for key in document.data if key in KINDS), None)
            kinds = phrase("a document's first key is its kind: {names}", names=sorted(KINDS))
            hint = phrase("put `{later}: …` first", later=later) if later else kinds
        mark = document.place.children[document.kind].key_mark
        return [Problem("E201", phrase("unknown kind '{name}'", name=document.kind), mark, document.kind, hint)]
    return check_shape(_validator(document.kind), document.data, document.place)
