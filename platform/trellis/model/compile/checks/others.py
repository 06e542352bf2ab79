"""Pools, scorings, messages."""

from __future__ import annotations

from trellis.model.compile.context import Context
from trellis.model.compile.formulas import formula, template
from trellis.model.compile.item import Item
from trellis.model.compile.names import Names
from trellis.model.compile.types import Types


def check_pool(ctx: Context, types: Types, key: str, item: Item) -> None:
    """A pool: the rest is checked where it is compiled."""
    Names(ctx, types).entity(item.get("entity"))


def check_scoring(ctx: Context, types: Types, key: str, item: Item) -> None:
    """A scoring."""
    names = Names(ctx, types)
    entity = names.entity(item.get("entity"))
    if entity is None:
        return
    names.fields(item.get("field"), entity)
    fit, behaviour = item.get("fit"), item.get("behaviour")
    for _, each in fit.entries() if fit is not None else ():
        names.conditions(each, names.scope(entity), "when")
    for _, each in behaviour.entries() if behaviour is not None else ():
        on = each.get("on")
        what = names.entity(on.get("record")) if on is not None else None
        if what is not None:
            names.conditions(each, names.scope(what), "when")
            formula(ctx, each.get("of"), names.scope(what), None)


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
