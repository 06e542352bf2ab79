"""`union:` of a report: several entities, each with what stands for the common names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from trellis.config.phrase import phrase
from trellis.formula.errors import FormulaError
from trellis.formula.formula import Formula, compile_formula
from trellis.formula.parser import parse
from trellis.formula.rows import RowsScope
from trellis.formula.syntax import CallNode, Node, parts
from trellis.formula.types import BLANK, BOOLEAN, TEXT, Type, of_any, record_of
from trellis.model.compile.context import humanize
from trellis.model.compile.formulas import formula
from trellis.model.compile.scope import EntityScope
from trellis.model.reports.report import Condition
from trellis.model.reports.union import COMMON, KIND, Branch, put

if TYPE_CHECKING:
    from trellis.model.compile.item import Item
    from trellis.model.compile.names import Names
    from trellis.model.compile.reports.draft import ReportDraft
    from trellis.model.compile.types import Types
    from trellis.model.reports.report import Report

TYPES = ("summary", "pivot", "trend")
KINDS = ("text", "number", "money", "boolean", "date", "datetime", "duration", "record")
COUNTS = ("count", "count_distinct", "sum", "avg", "median", "any", "all")
FILTER = "filter"
_NOTHING = {  # a blank that has a type; of the others there is none that one could write
    "text": 'if(false, "")',
    "number": "if(false, 0)",
    "boolean": "if(false, true)",
    "date": "if(false, date(2000, 1, 1))",
    "datetime": "if(false, datetime(2000, 1, 1))",
    "duration": "if(false, hours(1))",
}

_NOBODY: Mapping[tuple[str, ...], str] = {("user",): "if(false, me)", ("team",): "if(false, my_team)"}
_WRITTEN = ("date", "filter", "group", "rows", "columns", "measures")


class CommonScope(EntityScope):
    """The common names of a union, as if they were the fields of one record."""

    def __init__(self, types: Types, names: Mapping[str, Type], variables: Mapping[str, Type] | None = None) -> None:
        super().__init__(types, None, variables)
        self.entity = COMMON
        self.common = names

    def name(self, name: str) -> Type | None:
        """The type of a common name, a param or a setting."""
        return self.common.get(name) or (None if name == COMMON else self._other(name))

    def _other(self, name: str) -> Type | None:
        return EntityScope(self.types, None, self.variables).name(name)

    def names(self) -> Iterable[str]:
        """Every plain name."""
        yield from self.common
        yield from EntityScope(self.types, None, self.variables).names()

    def member(self, type: Type, name: str) -> Type | None:
        """A common name, or a field of a record that one leads to."""
        return self.common.get(name) if type.entities == (COMMON,) else super().member(type, name)

    def members(self, type: Type) -> Iterable[str]:
        """Every name of a record."""
        return self.common if type.entities == (COMMON,) else super().members(type)


@dataclass
class UnionDraft:
    """The entities of a union while it is compiled."""

    entities: tuple[str, ...]
    items: Mapping[str, Item]
    names: dict[str, Type] = field(default_factory=dict)
    formulas: dict[str, dict[str, Formula]] = field(default_factory=dict)
    only: dict[str, Condition] = field(default_factory=dict)
    faulty: bool = False


def entities_of(names: Names, item: Item, union: Item) -> UnionDraft | None:
    """The branches as they are written; None (and a problem) where there are not two entities."""
    if (written := item.get("entity")) is not None:
        names.ctx.problem("E204", "'union' stands instead of 'entity'", written, "one of both", at_key=True)
    every = dict(union.entries())
    found = {key: each for key, each in every.items() if names.entity(each.key(key)) is not None}
    if len(every) < 2:
        names.ctx.problem("E214", "a union is of two entities or more", union, "otherwise: entity", at_key=True)
    return UnionDraft(tuple(found), found) if len(found) > 1 else None


def open_union(draft: ReportDraft) -> None:
    """Read the branches, and find the types of the common names."""
    union = draft.union
    assert union is not None
    given: dict[str, list[tuple[str, Item, Formula]]] = {}
    for entity, branch in union.items.items():
        union.formulas[entity] = {}
        for name, each in branch.entries():
            if name == FILTER:
                if (found := formula(draft.ctx, each, draft.types.scope(entity), BOOLEAN)) is not None:
                    union.only[entity] = Condition(found, found.source.strip())
                else:
                    union.faulty = True
                continue
            if name == KIND:
                hint = "`kind` is the entity that a row comes from"
                draft.ctx.problem("E305", phrase("'{name}' is a reserved name", name=KIND), each, hint, at_key=True)
                union.faulty = True
                continue
            made = formula(draft.ctx, each, draft.types.scope(entity))
            if made is None:
                union.faulty = True
                continue
            union.formulas[entity][name] = made
            given.setdefault(name, []).append((entity, each, made))
    for name, several in given.items():
        union.names[name] = _joined(draft, name, several)
    labels = {
        e: draft.ctx.text(d.item, "plural", humanize(e), d.ancestors)
        for e in union.entities
        if (d := draft.ctx.drafts[e])
    }
    union.names[KIND] = replace(TEXT, choices=labels)


def _joined(draft: ReportDraft, name: str, found: Sequence[tuple[str, Item, Formula]]) -> Type:
    """The one type of a name, which every branch has to give."""
    union = draft.union
    assert union is not None
    typed = [(e, i, f.type) for e, i, f in found if f.type.kind not in ("blank", "any")]
    if not typed:
        draft.ctx.problem(
            "E405", phrase("'{name}' is blank everywhere", name=name), found[0][1], "leave it out", at_key=True
        )
        union.faulty = True
        return BLANK
    first_entity, item, first = typed[0]
    if first.kind not in KINDS:
        draft.ctx.problem(
            "E405",
            phrase("a {first} cannot stand for a common name", first=first),
            item,
            phrase("one of {names}", names=list(KINDS)),
        )
        union.faulty = True
        return first
    for entity, each, type_ in typed[1:]:
        if type_.kind != first.kind:
            message = phrase(
                "'{name}' is a {first} in {first_entity}, and a {type} in {entity}",
                name=name,
                first=first,
                first_entity=first_entity,
                type=type_,
                entity=entity,
            )
            draft.ctx.problem("E406", message, each, "every entity of the union gives it in the same type")
            union.faulty = True
    lacking = [] if union.faulty else [e for e in union.entities if e not in {entity for entity, _, _ in typed}]
    joined = first
    if first.kind == "record":
        entities = [t.entities for _, _, t in typed]
        joined = record_of(*(() if () in entities else dict.fromkeys(e for each in entities for e in each)))
    elif first.kind == "text":
        joined = of_any([t for _, _, t in typed])
    if lacking and _nothing(joined) is None:
        message = phrase(
            "{entity} has nothing for '{name}', and a {joined} cannot be left out",
            entity=lacking[0],
            name=name,
            joined=joined,
        )
        draft.ctx.problem("E204", message, union.items[lacking[0]], "name it in each of the entities", at_key=True)
        union.faulty = True
    return joined


def _nothing(type: Type) -> str | None:
    if type.kind == "record":
        return _NOBODY.get(type.entities)
    return _NOTHING.get(type.kind)


def close_union(draft: ReportDraft, made: Report) -> Report:
    """The report with its branches: each of its formulas over each of the entities."""
    union = draft.union
    if union is None:
        return made
    if made.type not in TYPES:
        hint = phrase("one of {names}", names=list(TYPES))
        draft.ctx.problem(
            "E330",
            phrase("a {type} report goes over one entity", type=made.type),
            draft.item.get("union") or draft.item,
            hint,
        )
        return made
    rows = [k.formula for k in (*made.groups, *made.across)] + ([made.date] if made.date is not None else [])
    counts = [m.formula for m in made.measures]
    more = [made.filter.formula] if made.filter is not None else []
    for each, is_measure in [*((f, False) for f in (*rows, *more)), *((f, True) for f in counts)]:
        if _goes_on(parse(each.source), 1 if is_measure else 0):
            message = phrase("'{name}' counts other records", name=each.source.strip())
            advice = "give it a name in each of the entities of the union"
            draft.ctx.problem("E405", message, _written(draft, each.source) or draft.item, advice)
            return made
    if union.faulty:
        return made
    branches = tuple(_branches(draft, made, rows, counts))
    return replace(made, union=branches, names=dict(union.names)) if len(branches) == len(union.entities) else made


def _branches(draft: ReportDraft, made: Report, rows: Sequence[Formula], counts: Sequence[Formula]) -> Iterator[Branch]:
    union = draft.union
    assert union is not None
    for entity in union.entities:
        scope = draft.types.scope(entity, **draft.variables)
        names = {name: f.source.strip() for name, f in union.formulas[entity].items() if f.type.kind != "blank"}
        names |= {name: _nothing(t) or "blank" for name, t in union.names.items() if name not in names}
        names[KIND] = f'"{entity}"'
        try:
            yield Branch(
                entity,
                names,
                union.only.get(entity),
                _filter(made.filter, union.only.get(entity), names, scope),
                {f.source: compile_formula(put(f.source, names), scope) for f in rows},
                {f.source: compile_formula(put(f.source, names), RowsScope(scope)) for f in counts},
            )
        except FormulaError as error:
            message = phrase("over {entity}: {message}", entity=entity, message=error.faults[0].message)
            draft.ctx.problem("E405", message, union.items[entity], at_key=True)


def _filter(
    common: Condition | None, own: Condition | None, names: Mapping[str, str], scope: EntityScope
) -> Condition | None:
    texts = [own.source] if own is not None else []
    texts += [put(common.source, names)] if common is not None else []
    if not texts:
        return None
    source = " and ".join(f"({t})" for t in texts)
    return Condition(compile_formula(source, scope, expected=BOOLEAN), source)


def _written(draft: ReportDraft, source: str) -> Item | None:
    """Where a formula stands in the file."""
    for word in _WRITTEN:
        found = draft.item.get(word)
        parts = [i for _, i in found.entries()] or list(found.each()) if found is not None else []
        for each in parts:
            item = each.get("formula") or each
            if source.strip() in item.text:
                return item
    return None


def _goes_on(node: Node, allowed: int) -> bool:
    """Whether a formula counts records of its own: names inside of such a count are those records'."""
    if isinstance(node, CallNode) and node.name in COUNTS:
        if not allowed:
            return True
        allowed -= 1
    return any(_goes_on(p, allowed) for p in parts(node))
