"""What names mean in the formulas of an entity, while the entities' types are still being found."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from trellis.formula.types import ANY, Type, of_any, record_of, records_of

if TYPE_CHECKING:
    from trellis.model.compile.types import Types


class EntityScope:
    """The fields and inverse lists of an entity, the settings, and the variables of the place (`old`, `this`)."""

    def __init__(
        self,
        types: Types,
        entity: str | None,
        variables: Mapping[str, Type] | None = None,
        shadows: Collection[str] = (),
    ) -> None:
        self.types = types
        self.entity = entity
        self.variables = variables or {}
        self.shadows = shadows

    def name(self, name: str) -> Type | None:
        """The type of a plain name."""
        if name in self.variables:
            return self.variables[name]
        if name.startswith("param."):
            return ANY if "param" in self.variables else None
        if name.startswith("setting."):
            return self.types.setting(name.removeprefix("setting."))
        return self.types.of(self.entity, name) if self.entity else None

    def names(self) -> Iterable[str]:
        """Every plain name."""
        yield from self.variables
        if self.entity:
            yield from self.types.names(self.entity)
        yield from (f"setting.{key}" for key in self.types.ctx.settings)

    def roles(self) -> Iterable[str] | None:
        """Every role."""
        return self.types.ctx.roles

    def member(self, type: Type, name: str) -> Type | None:
        """The type of a field of a record; for a link to several entities, in those that have it."""
        if type.kind in ("any", "json"):
            return ANY
        entities = type.entities or tuple(k for k, d in self.types.ctx.drafts.items() if not d.is_abstract)
        found = [t for e in entities if (t := self.types.of(e, name)) is not None]
        if not found:
            return None
        first = found[0]
        if first.kind in ("record", "records") and any(t.entities != first.entities for t in found):
            merged = tuple(dict.fromkeys(e for t in found for e in t.entities))
            return record_of(*merged) if first.kind == "record" else first
        return of_any(found) if all(t == first for t in found) else first

    def members(self, type: Type) -> Iterable[str]:
        """Every name of a record."""
        return dict.fromkeys(n for e in type.entities for n in self.types.names(e))

    def columns(self, entity: str, name: str) -> Mapping[str, Type]:
        """The columns of a links field's rows, from either side."""
        return self.types.columns(entity, name)

    def tree(self, entity: str) -> str | None:
        """The link that makes a tree of the entity."""
        draft = self.types.ctx.drafts.get(entity)
        fields = draft.fields.values() if draft is not None else ()
        return next((f.key for f in fields if f.type_name == "link" and f.item.flag("tree")), None)


def inverse_type(entity: str, one: bool) -> Type:
    """What the far side of a link is to a formula."""
    return record_of(entity) if one else records_of(entity)
