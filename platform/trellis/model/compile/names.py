"""What a name in a document must be: an entity, a field of it, a role, a document of another kind."""

from __future__ import annotations

from trellis.formula.types import BOOLEAN, Type, record_of
from trellis.model.compile.context import Context
from trellis.model.compile.formulas import formula
from trellis.model.compile.item import Item
from trellis.model.compile.paths import check_path
from trellis.model.compile.scope import EntityScope
from trellis.model.compile.types import Types


class Names:
    """The checks of one document."""

    def __init__(self, ctx: Context, types: Types) -> None:
        self.ctx = ctx
        self.types = types

    def entity(self, item: Item | None) -> str | None:
        """An entity's key; None (and a problem) when there is none of that name."""
        if item is None or not item.text:
            return None
        draft = self.ctx.drafts.get(item.text)
        if draft is None or draft.is_abstract:
            self.ctx.unknown("entity", item, (k for k, d in self.ctx.drafts.items() if not d.is_abstract))
            return None
        return item.text

    def fields(self, item: Item | None, entity: str | None) -> None:
        """Paths to fields of an entity."""
        if entity is None:
            return
        for each in item.each() if item is not None else ():
            if each.text:
                check_path(self.ctx, self.types, self.ctx.drafts[entity], each, each.text.removeprefix("-"), lists=True)

    def document(self, item: Item | None, kind: str) -> None:
        """The key of a document of a kind."""
        if item is not None and item.text and item.text not in self.ctx.configuration.of(kind):
            self.ctx.unknown(kind, item, self.ctx.configuration.of(kind), "E316")

    def roles(self, item: Item | None) -> None:
        """Roles' keys."""
        for each in item.each() if item is not None else ():
            if each.text not in self.ctx.roles:
                self.ctx.unknown("role", each, self.ctx.roles, "E313")

    def scope(self, entity: str | None, **variables: Type) -> EntityScope:
        """A scope where the record, and the record before the change, have names."""
        if entity is not None:
            variables = {"record": record_of(entity), "old": record_of(entity), **variables}
        return self.types.scope(entity, **variables)

    def conditions(self, item: Item, scope: EntityScope, *keys: str) -> None:
        """Properties that hold conditions."""
        for key in keys:
            formula(self.ctx, item.get(key), scope, BOOLEAN)
