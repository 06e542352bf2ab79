"""Derived fields that depend on themselves, over links and lists too."""

from __future__ import annotations

from collections.abc import Iterable

from trellis.model.compile.context import Context
from trellis.model.compile.drafts import FieldDraft

Node = tuple[str, str]


def check_cycles(ctx: Context) -> None:
    """Report each cycle once, with its path."""
    edges: dict[Node, list[Node]] = {}
    items = {}
    for entity, field, formula, item in ctx.formulas:
        items[entity, field] = item
        edges[entity, field] = list(dict.fromkeys(n for path in formula.reads for n in _read(ctx, entity, path)))
    done: set[Node] = set()
    for start in edges:
        if start in done:
            continue
        cycle = _find(start, edges, done)
        if cycle:
            shown = " → ".join(f"{e}.{f}" for e, f in cycle)
            ctx.problem("E318", f"depends on itself: {shown}", items[cycle[0]])


def _read(ctx: Context, entity: str, path: tuple[str, ...]) -> Iterable[Node]:
    """The derived fields that a path reads on its way."""
    entities: tuple[str, ...] = (entity,)
    for step in path:
        following: list[str] = []
        for each in entities:
            draft = ctx.drafts.get(each)
            if draft is None:
                continue
            if (field := draft.fields.get(step)) is not None:
                if field.is_derived:
                    yield each, step
                following += _targets(field)
            elif (inverse := draft.inverses.get(step)) is not None:
                following.append(inverse.entity)
        entities = tuple(dict.fromkeys(following))


def _targets(field: FieldDraft) -> list[str]:
    found = field.type.formula_type() if field.type is not None else None
    return list(found.entities) if found is not None and found.kind in ("record", "records") else []


def _find(start: Node, edges: dict[Node, list[Node]], done: set[Node]) -> list[Node]:
    """A cycle that can be reached from `start`, without recursion: chains may be long."""
    path: list[Node] = []
    on_path: set[Node] = set()
    stack: list[tuple[Node, bool]] = [(start, False)]
    while stack:
        node, leaving = stack.pop()
        if leaving:
            path.pop()
            on_path.discard(node)
            done.add(node)
            continue
        if node in on_path:
            done.update(path)
            return [*path[path.index(node) :], node]
        if node in done or node not in edges:
            continue
        path.append(node)
        on_path.add(node)
        stack.append((node, True))
        stack += [(n, False) for n in edges[node]]
    return []
