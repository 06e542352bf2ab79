"""What a scenario does: each action resolved, what it makes known to those after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from trellis.config.phrase import phrase
from trellis.formula.types import ANY, Type, record_of
from trellis.model.compile.automation.bodies import Bodies, span
from trellis.model.compile.automation.fillings import fillings
from trellis.model.compile.formulas import condition, given
from trellis.model.compile.item import Item
from trellis.model.compile.names import Names
from trellis.model.kinds.scenario import ACTIONS
from trellis.model.scenario import Action

TARGETS = ("update", "delete", "restore", "convert", "claim", "merge", "release", "approve", "reject")
STAY = ("update", "restore", "merge")  # what they name is there afterwards, and may be named by `as`
PLACES = ("on", "of")
RESERVED = ("old", "this", "record", "me", "my_team", "via", "is_new", "setting", "param", "true", "false", "blank")


class Actions:
    """The actions of one scenario in the making."""

    def __init__(self, names: Names, variables: dict[str, Type], actors: Iterable[str]) -> None:
        self.names = names
        self.ctx = names.ctx
        self.variables = variables
        self.actors = actors

    def each(self, item: Item | None) -> tuple[Action, ...]:
        """The actions of a list."""
        made = (self._action(one) for one in (item.each() if item is not None else ()) if isinstance(one.data, dict))
        return tuple(action for action in made if action is not None)

    def _action(self, item: Item) -> Action | None:
        verb = next((verb for verb in ACTIONS if verb in item.data), None)
        if verb is None:
            return None  # the check of shapes has said so
        said = item.get(verb)
        for who in ("user", "by"):
            self.person(item.get(who))
        refused = item.get("refused")
        common: dict[str, Any] = {
            "verb": verb,
            "mark": item.place.mark,
            "user": item.word("by") or item.word("user"),
            "name": item.word("as"),
            "refused": refused.data if refused is not None and isinstance(refused.data, bool) else item.word("refused"),
        }
        made, result = self._of(verb, item, said, common)
        if made.name in RESERVED:
            hint = "it has a meaning of its own in formulas: take another name"
            self.ctx.problem("E305", phrase("'{name}' is reserved", name=made.name), item.get("as") or item, hint)
        elif made.name:
            self.variables[made.name] = result
        return made

    def person(self, item: Item | None) -> None:
        """Somebody of the scenario's own."""
        if item is not None and item.text not in self.actors:
            self.ctx.unknown("user", item, self.actors, "E328")

    def _of(self, verb: str, item: Item, said: Item | None, common: dict[str, Any]) -> tuple[Action, Type]:
        bodies = Bodies(self.names, None, self.variables)
        if verb in ("create", "find"):
            return self._named(verb, item, said, common)
        if verb in ("link", "unlink") and said is not None:
            listed, _entity = bodies.list_of(said)
            to, values = bodies.formula(item.get("to")), self._values(item.get("set"), None)
            return Action(**common, list=listed, to=to, values=values), ANY
        if verb == "advance":
            return Action(**common, span=span(said)), ANY
        if verb in TARGETS and said is not None:
            target, entity = bodies.records(said)
            # what a conversion or a decision is told has names of its own
            values = self._values(item.get("set"), entity if verb == "update" else None)
            result = target.type if target is not None and verb in STAY else ANY
            comment, others = bodies.given(item.get("comment")), bodies.formula(item.get("with"))
            word = item.word("outcome")
            return Action(**common, target=target, to=others, word=word, values=values, text=comment), result
        place = next((found for word in PLACES if (found := item.get(word)) is not None), None)
        target = bodies.records(place)[0] if place is not None and not isinstance(place.data, dict) else None
        if verb in ("press", "run"):
            self.names.document(said, "workflow")
        if verb == "enrol":
            self.names.document(said, "sequence")
        word = said.text if said is not None else ""
        values = self._values(item.get("set"), None)
        if verb in ("receive", "submit") and said is not None and isinstance(said.data, dict):
            values = {key: given(self.ctx, each, bodies.scope()) for key, each in said.entries()} | dict(values)
        words = tuple(each.text for each in said.each() if each.text) if said is not None else ()
        return Action(**common, word=word, words=words, target=target, values=values), ANY

    def _named(self, verb: str, item: Item, said: Item | None, common: dict[str, Any]) -> tuple[Action, Type]:
        """An action that names an entity: `create`, `find`."""
        entity = self.names.entity(said)
        values = dict(self._values(item.get("set"), entity))
        if (stage := item.get("stage")) is not None:
            values["stage"] = given(self.ctx, stage, self.names.scope(None))
        where = None
        if entity is not None and (found := item.get("where")) is not None:
            where = condition(self.ctx, found, self.names.types.scope(entity, **self.variables))
        return Action(**common, word=entity or "", values=values, where=where), record_of(entity) if entity else ANY

    def _values(self, item: Item | None, entity: str | None) -> Mapping[str, Any]:
        return fillings(self.names, item, entity, self.names.types.scope(None, **self.variables))
