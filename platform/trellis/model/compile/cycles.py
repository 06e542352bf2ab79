"""Derived fields and titles that depend on themselves, over links and lists too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from trellis.config.phrase import phrase
from trellis.formula.formula import Formula
from trellis.formula.naming import TITLE
from trellis.model.compile.context import Context
from trellis.model.compile.drafts import FieldDraft
from trellis.model.compile.item import Item
from trellis.model.entity import Entity

Node = tuple[str, str]  # an entity and its derived field, or TITLE
Edges = dict[Node, list[Node]]


def check_cycles(ctx: Context, entities: Mapping[str, Entity]) -> Edges:
    """Report each cycle once, with its path; what each derived field and title reads of others."""
    edges: Edges = {}
    items: dict[Node, Item] = {}
    for entity, field, formula, item in ctx.formulas:
        items[entity, field] = item
        edges[entity, field] = _read_by(ctx, entity, formula)
    for entity, compiled in entities.items():
        if compiled.title is not None:
            draft = ctx.drafts[entity]
            items[entity, TITLE] = draft.item.get("title") or draft.item
            edges[entity, TITLE] = _read_by(ctx, entity, compiled.title)
    done: set[Node] = set()
    for start in edges:
        if start in done:
            continue
        cycle = _find(start, edges, done)
        if cycle:
            shown = " → ".join(f"{e}.{'title' if f == TITLE else f}" for e, f in cycle)
            ctx.problem("E318", phrase("depends on itself: {shown}", shown=shown), items[cycle[0]])
    return edges


def _read_by(ctx: Context, entity: str, formula: Formula) -> list[Node]:
    guesses = "titles" in formula.uses  # some record's title, we do not know whose
    return list(dict.fromkeys(n for path in formula.reads for n in _read(ctx, entity, path, guesses=guesses)))


def _read(ctx: Context, entity: str, path: tuple[str, ...], *, guesses: bool) -> Iterable[Node]:
    """The derived fields and titles that a path reads on its way."""
    entities: tuple[str, ...] = (entity,)
    for step in path:
        following: list[str] = []
        for each in entities:
            draft = ctx.drafts.get(each)
            if draft is None:
                continue
            if step == TITLE:
                yield each, TITLE
            elif (field := draft.fields.get(step)) is not None:
                if field.is_derived:
                    yield each, step
                following += _targets(field)
            elif (inverse := draft.inverses.get(step)) is not None:
                following.append(inverse.entity)
        entities = tuple(dict.fromkeys(following))
    if guesses:
        yield from ((each, TITLE) for each in entities)


def _targets(field: FieldDraft) -> list[str]:
    found = field.type.formula_type() if field.type is not None else None
    return list(found.entities) if found is not None and found.kind in ("record", "records") else []


def _find(start: Node, edges: Edges, done: set[Node]) -> list[Node]:
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
