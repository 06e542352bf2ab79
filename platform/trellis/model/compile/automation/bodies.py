"""Steps, resolved one after the other: what a step gives has its name in the formulas of those after it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

from trellis.config.phrase import phrase
from trellis.formula.formula import Formula
from trellis.formula.types import ANY, RECORDS, Type
from trellis.model.automation import steps
from trellis.model.automation.steps import NOTHING, ListOf, Step, Steps
from trellis.model.compile.formulas import condition, formula, given, said
from trellis.model.compile.item import Item
from trellis.model.compile.names import Names
from trellis.model.compile.scope import EntityScope
from trellis.model.given import Given
from trellis.model.spans import Span, read_span

_WORD = re.compile(r"[a-z_]\w*")
_PATH = re.compile(r"=?\s*(?:([a-z_][\w.]*)\.)?([a-z_]\w*)\s*")
_IN_A_SAVE = frozenset({"set", "refuse", "if", "switch", "find", "each", "log", "stop"})


class Bodies:
    """The steps of one document in the making, for records of one entity."""

    def __init__(
        self, names: Names, entity: str | None, variables: Mapping[str, Type], *, in_a_save: bool = False
    ) -> None:
        self.names = names
        self.ctx = names.ctx
        self.entity = entity
        self.variables = dict(variables)
        self.in_a_save = in_a_save

    def scope(self) -> EntityScope:
        """What names mean at this point."""
        return self.names.scope(self.entity, **self.variables)

    def steps(self, item: Item | None, place: str = "") -> Steps:
        """The steps of a block."""
        made = []
        every = list(item.each()) if item is not None else []
        for index, each in enumerate(every):
            known = len(self.ctx.problems)
            if isinstance(each.data, dict) and (step := self._step(each, f"{place}{index}")) is not None:
                made.append(step)
            later = {name for one in every[index:] if isinstance(one.data, dict) and (name := one.word("as"))}
            self._say_of_later(known, later - self.variables.keys() | {each.word("as")} & later)
        return tuple(made)

    def _say_of_later(self, known: int, later: set[str]) -> None:
        """What is unknown because it comes only later is told so."""
        for at, problem in enumerate(self.ctx.problems[known:], known):
            name = next((name for name in later if problem.message == f"unknown name '{name}'"), None)
            if problem.code == "E402" and name is not None:
                hint = phrase("'{name}' is what a later step gives: it is known to the steps after that one", name=name)
                self.ctx.problems[at] = replace(problem, hint=hint)

    def _step(self, item: Item, place: str) -> Step | None:
        verb = next((verb for verb in VERBS if verb in item.data), None)
        if verb is None:
            return None  # the check of shapes has said so
        self._may_stand_here(item, verb)
        common: dict[str, Any] = {
            "place": place,
            "when": condition(self.ctx, item.get("when"), self.scope()),
            "name": item.word("as"),
            "label": self.ctx.text(item, "label"),
            "on_error": _on_error(item.get("on_error")),
        }
        made = VERBS[verb](self, item, common)
        if made is None:
            self.variables.setdefault(item.word("as"), ANY)
            return None
        step, result = made
        if step.name:
            self._may_be_called(item)
            self.variables[step.name] = result
        return step

    def _may_stand_here(self, item: Item, verb: str) -> None:
        if self.in_a_save and verb not in _IN_A_SAVE:
            hint = phrase(
                "inside a save stand: {names}; let a workflow on `record` do the rest", names=sorted(_IN_A_SAVE)
            )
            self.ctx.problem(
                "E325",
                phrase("'{name}' does not work before a save", name=verb),
                item.get(verb) or item,
                hint,
                at_key=True,
            )
        if not self.in_a_save and verb == "refuse":
            advice = "refuse in a workflow on `before`"
            self.ctx.problem("E325", "the save is over: nothing can be refused any more", item, advice, at_key=True)

    def _may_be_called(self, item: Item) -> None:
        """A result with a field's name would never be seen: the field goes before it."""
        draft, named = self.ctx.drafts.get(self.entity or ""), item.word("as")
        if draft is not None and (named in draft.fields or named in draft.inverses):
            message = phrase(
                "'{named}' is a field of {draft}: formulas read the field, not what this step gives",
                named=named,
                draft=draft.key,
            )
            self.ctx.problem(
                "W613", message, item.get("as") or item, phrase("call it otherwise, such as the_{named}", named=named)
            )

    def given(self, item: Item | None) -> Given:
        """A value, or a formula for it."""
        return NOTHING if item is None else given(self.ctx, item, self.scope())

    def said(self, item: Item | None) -> Given:
        """A text for people."""
        return NOTHING if item is None else said(self.ctx, item, self.scope())

    def formula(self, item: Item | None, expected: Type | None = None) -> Formula | None:
        """A formula at this point."""
        return formula(self.ctx, item, self.scope(), expected)

    def block(self, item: Item | None, place: str) -> Steps:
        """Steps inside a step; what they name is not known after it."""
        kept = dict(self.variables)
        made = self.steps(item, f"{place}.")
        self.variables = {**self.variables, **kept}
        return made

    def read_by(self, found: Formula) -> Iterator[str]:
        """The entities whose records a formula looks at: its own, those on the way, and what steps have given."""
        if self.entity is not None and found.reads:
            yield self.entity
        for path in found.reads:
            entities: tuple[str, ...] = (self.entity,) if self.entity is not None else ()
            for name in path:
                types = [t for e in entities if (t := self.names.types.of(e, name)) is not None]
                entities = tuple(entity for type in types for entity in type.entities)
                yield from entities
        words = set(_WORD.findall(found.source))
        for name, type in self.variables.items():
            if name in words:
                yield from type.entities
        if self.entity is not None and "record" in words:
            yield self.entity

    def list_of(self, item: Item) -> tuple[ListOf, str | None]:
        """The list that a path names, and the entity of its records."""
        if item.text in self.ctx.drafts and item.text not in self.variables:
            hint = phrase(
                "a step before it finds them: {{find: {name}, many: true, as: found}}, then each: =found",
                name=item.text,
            )
            self.ctx.problem("E402", phrase("'{name}' is an entity, not a list of records", name=item.text), item, hint)
            return ListOf(None), None
        match = _PATH.fullmatch(item.text)
        if match is None or (match[1] is None and match[2] in self.variables):
            found = self.formula(item, RECORDS)
            return ListOf(None, found=found), _target(found)
        compiled = self.formula(item, RECORDS)  # says what is wrong with it
        if match[1] is None:
            return ListOf(None, match[2]), _target(compiled)
        head = self.ctx.quietly(lambda: formula(self.ctx, item.plain(match[1]), self.scope()))
        return ListOf(head, match[2]), _target(compiled)

    def records(self, item: Item) -> tuple[Formula | None, str | None]:
        """A formula that gives a record or records, and their entity where it is only one."""
        found = self.formula(item)
        if found is not None and found.type.kind not in ("record", "records", "any", "list", "blank"):
            self.ctx.problem("E406", phrase("a record is expected here, not a {type}", type=found.type), item)
        return found, _target(found)


def _target(found: Formula | None) -> str | None:
    if found is None:
        return None
    type = found.type.item if found.type.kind == "list" and found.type.item is not None else found.type
    return type.entities[0] if len(type.entities) == 1 else None


def _on_error(item: Item | None) -> Any:
    retry = item.get("retry") if item is not None else None
    if retry is None:
        return item.text if item is not None and item.text in ("stop", "continue") else "stop"
    times = retry.get("times")
    count = times.data if times is not None and isinstance(times.data, int) else 3
    return steps.Retry(count, span(retry.get("backoff")) or Span(rest=_MINUTE))


def span(item: Item | None) -> Span | None:
    """A length of time; the shape of its text is checked."""
    return read_span(item.text) if item is not None else None


_MINUTE = cast("Span", read_span("1 minute")).rest
Made = tuple[Step, Type] | None
_Compile = Callable[[Bodies, Item, dict[str, Any]], Made]
VERBS: dict[str, _Compile] = {}


def verb(word: str) -> Callable[[_Compile], _Compile]:
    """Register how a step of a verb is resolved: the step, and the type of its result."""

    def register(compile: _Compile) -> _Compile:
        VERBS[word] = compile
        return compile

    return register
