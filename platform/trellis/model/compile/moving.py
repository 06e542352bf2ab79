"""Derived values that change without anybody writing: by the clock, the reader, the table of rates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from trellis.config.phrase import phrase
from trellis.formula.naming import TITLE
from trellis.model.compile.context import Context
from trellis.model.compile.cycles import Edges, Node
from trellis.model.entity import Entity
from trellis.model.field import Field

MOVING = {
    "now": phrase("the time"),
    "me": phrase("who is reading"),
    "language": phrase("the reader's language"),
    "convert": phrase("the exchange rates"),
}


def settle_rollups(ctx: Context, entities: Mapping[str, Entity], edges: Edges) -> None:
    """Have roll-ups that move by themselves computed when they are read, as formulas are, instead of being stored.

    Words for the search are always stored: a searched text must not move.
    """
    moving = _moving(ctx, entities, edges)
    for entity in entities.values():
        fields = cast("dict[str, Field]", entity.fields)
        for key, field in list(fields.items()):
            why = moving.get((entity.key, key))
            if field.rollup is not None and why is not None:
                fields[key] = replace(field, formula=field.rollup, rollup=None)
            if field.search:
                kind = field.type.formula_type()
                linked = kind.entities if kind.kind in ("record", "records") else ()
                why = why or next((w for e in linked if (w := moving.get((e, TITLE))) is not None), None)
                if why is not None:
                    item = ctx.drafts[entity.key].fields[key].item
                    message = phrase("cannot be searched: its text depends on {what}", what=MOVING[why])
                    ctx.problem(
                        "E329", message, item.get("search") or item, "leave out `search: true`; filters can use it"
                    )


def _is_rollup(entities: Mapping[str, Entity], node: Node) -> bool:
    field = entities[node[0]].fields.get(node[1])
    return field is not None and field.rollup is not None


def _moving(ctx: Context, entities: Mapping[str, Entity], edges: Edges) -> dict[Node, str]:
    """What each moving field and title depends on, be it through others."""
    found: dict[Node, str] = {}
    formulas = [((entity, field), formula) for entity, field, formula, _ in ctx.formulas]
    formulas += [((e.key, TITLE), e.title) for e in entities.values() if e.title is not None]
    for node, formula in formulas:
        why = next((use for use in MOVING if use in formula.uses), None)
        if why is None and "currency" in formula.uses and not _is_rollup(entities, node):
            why = "convert"  # a roll-up that makes an amount of a currency is kept, and moves with the rates
        if why is not None:
            found[node] = why
    readers: dict[Node, list[Node]] = defaultdict(list)
    for reader, read in edges.items():
        for node in read:
            readers[node].append(reader)
    work = list(found)
    while work:
        node = work.pop()
        for reader in readers[node]:
            if reader not in found:
                found[reader] = found[node]
                work.append(reader)
    return found
