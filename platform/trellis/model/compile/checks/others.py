"""Pools, scorings, messages."""

from __future__ import annotations

from trellis.model.compile.context import Context
from trellis.model.compile.formulas import template
from trellis.model.compile.item import Item
from trellis.model.compile.names import Names
from trellis.model.compile.types import Types


def check_pool(ctx: Context, types: Types, key: str, item: Item) -> None:
    """A pool: the rest is checked where it is compiled."""
    Names(ctx, types).entity(item.get("entity"))


def check_scoring(ctx: Context, types: Types, key: str, item: Item) -> None:
    """A scoring: the rest is checked where it is compiled."""
    Names(ctx, types).entity(item.get("entity"))


def check_document(ctx: Context, types: Types, key: str, item: Item) -> None:
    """A paper: its name may hold fields of its entity."""
    names = Names(ctx, types)
    written = item.get("entity")
    entity = names.entity(written)
    if written is None or entity is None:
        return
    found = item.get("name")
    if found is not None and "{" in found.text:
        template(ctx, found, names.scope(entity))
