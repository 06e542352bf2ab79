"""What a scenario expects: each expectation resolved, its formulas read over what the actions have named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from trellis.formula.types import Type
from trellis.model.compile.automation.bodies import Bodies
from trellis.model.compile.formulas import condition, formula, given
from trellis.model.compile.item import Item
from trellis.model.compile.names import Names
from trellis.model.compile.scope import EntityScope
from trellis.model.given import Given
from trellis.model.kinds.scenario import EXPECTATIONS
from trellis.model.scenario import Expectation, Expected

SAYING = ("subject", "text", "to", "name")
MESSAGES = ("mail", "sms", "chat")
KEPT = {"document": "document", "enrolled": "sequence"}  # what is expected of a record, by the kind it names


class Expectations:
    """The expectations of one scenario in the making."""

    def __init__(self, names: Names, variables: Mapping[str, Type], actors: Iterable[str]) -> None:
        self.names = names
        self.ctx = names.ctx
        self.variables = variables
        self.actors = actors

    def each(self, item: Item | None) -> tuple[Expectation, ...]:
        """The expectations of a list."""
        found = (self._expectation(one) for one in (item.each() if item is not None else ()))
        return tuple(one for one in found if one is not None)

    def _expectation(self, item: Item) -> Expectation | None:
        kind = next((kind for kind in EXPECTATIONS if isinstance(item.data, dict) and kind in item.data), None)
        if kind is None:
            return None  # the check of shapes has said so
        said = item.get(kind)
        self._person(item.get("as_user"))
        times = item.get("is" if kind == "count" else "times")
        common: dict[str, Any] = {
            "kind": kind,
            "mark": item.place.mark,
            "user": item.word("as_user"),
            "times": times.data if times is not None and isinstance(times.data, int) else None,
        }
        if kind == "record":
            return self._record(item, said, common)
        if kind == "count":
            return self._count(item, said, common)
        if kind == "report":
            return self._report(item, said, common)
        if kind == "notified":
            self._person(said)
        if kind in KEPT:
            self.names.document(said, KEPT[kind])
            of = item.get("of")
            common["target"] = Bodies(self.names, None, self.variables).records(of)[0] if of is not None else None
        if kind == "run":
            self.names.document(said, "workflow")
        word = said.text if said is not None else ""
        told = dict(said.entries()) if kind in MESSAGES and said is not None else {}
        told |= {key: found for key in SAYING if (found := item.get(key)) is not None}
        if kind == "log" and said is not None:
            told = {"text": said}
        scope = self.scope(None)
        texts = {key: given(self.ctx, each, scope) for key, each in told.items()}
        return Expectation(**common, word=word, state=item.word("state"), said=texts)

    def scope(self, entity: str | None) -> EntityScope:
        """What names mean: those of the actions, and the fields of an entity."""
        return self.names.types.scope(entity, **self.variables)

    def _person(self, item: Item | None) -> None:
        if item is not None and item.text not in self.actors:
            self.ctx.unknown("user", item, self.actors, "E328")

    def _record(self, item: Item, said: Item | None, common: dict[str, Any]) -> Expectation:
        assert said is not None
        target, entity = Bodies(self.names, None, self.variables).records(said)
        values: dict[str, Expected] = {}
        written = item.get("values")
        for key, each in written.entries() if written is not None and entity is not None else ():
            if (expected := self._value(entity, key, each)) is not None:
                values[key] = expected
        flags, fields = {}, {}
        for word in ("visible", "exists", "hidden", "masked", "readonly"):
            found = item.get(word)
            if found is None:
                continue
            if isinstance(found.data, bool):
                flags[word] = found.data
            else:
                self.names.fields(found, entity)
                fields[word] = item.words(word)
        return Expectation(**common, target=target, word=entity or "", values=values, flags=flags, fields=fields)

    def _value(self, entity: str | None, key: str, item: Item) -> Expected | None:
        path = item.key(key)
        read = formula(self.ctx, path, self.scope(entity))
        return None if read is None else Expected(read, self._plain(item), item.place.mark)

    def _plain(self, item: Item) -> Given:
        return given(self.ctx, item, self.scope(None))

    def _count(self, item: Item, said: Item | None, common: dict[str, Any]) -> Expectation:
        entity = self.names.entity(said)
        where = item.get("where")
        found = condition(self.ctx, where, self.scope(entity)) if where is not None and entity is not None else None
        return Expectation(**common, word=entity or "", where=found)

    def _report(self, item: Item, said: Item | None, common: dict[str, Any]) -> Expectation:
        self.names.document(said, "report")
        params, rows, totals = item.get("params"), item.get("rows"), item.get("totals")
        given_params = {k: self._plain(each) for k, each in (params.entries() if params is not None else ())}
        expected = {k: self._plain(each) for k, each in (totals.entries() if totals is not None else ())}
        lines = tuple(self._plain(each) for each in rows.each()) if rows is not None else None
        return Expectation(
            **common, word=said.text if said is not None else "", params=given_params, said=expected, rows=lines
        )
