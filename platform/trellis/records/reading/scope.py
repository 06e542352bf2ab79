"""The names that a formula may use about a Model's records."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from trellis.formula.types import Type, record_of, records_of
from trellis.model.model import Model

if TYPE_CHECKING:
    from trellis.records.access.permit import Permit


class ReaderScope:
    """The fields and lists that one person knows of: what is hidden or masked from them has no name here."""

    def __init__(
        self, model: Model, entity: str | None, permit: Permit | None = None, *, this: str | None = None
    ) -> None:
        self.model = model
        self.entity = entity
        self.shadows: Collection[str] = ()
        self._permit = permit
        self._this = this

    def name(self, name: str) -> Type | None:
        """The type of a field, an inverse list, a setting or `this`."""
        if name.startswith("setting."):
            return _SETTING_TYPES.get(self._setting(name.partition(".")[2]))
        if name == "this":
            return record_of(self._this) if self._this else None
        return self._of(self.entity, name) if self.entity else None

    def names(self) -> Iterable[str]:
        """Every plain name."""
        return self._names(self.entity) if self.entity else ()

    def roles(self) -> Iterable[str] | None:
        """The roles of the Model."""
        return (*self.model.roles, "admin")

    def member(self, type: Type, name: str) -> Type | None:
        """A field of a linked record, or of the rows of a list."""
        if type.kind not in ("record", "records"):
            return None
        for entity in type.entities or tuple(self.model.entities):
            if (found := self._of(entity, name)) is not None:
                return found
        return record_of(name) if type.kind == "record" and name in (type.entities or self.model.entities) else None

    def members(self, type: Type) -> Iterable[str]:
        """Every name that `member` answers for."""
        for entity in type.entities or tuple(self.model.entities):
            yield from self._names(entity)

    def columns(self, entity: str, name: str) -> Mapping[str, Type]:
        """The columns of a links field's rows."""
        definition = self.model.entities[entity]
        inverse = definition.inverses.get(name)
        owner, key = (inverse.entity, inverse.field) if inverse and inverse.many else (entity, name)
        field = self.model.entities[owner].fields.get(key)
        extra = getattr(field.type, "link_columns", {}) if field is not None else {}
        return {column: f.type.formula_type() for column, f in extra.items()}

    def tree(self, entity: str) -> str | None:
        """The link that makes a tree of the entity, for one who may see it."""
        fields = self.model.entities[entity].fields.values()
        found = next((f.key for f in fields if getattr(f.type, "tree", False)), None)
        return None if found is None or self._of(entity, found) is None else found

    def _names(self, entity: str) -> Iterable[str]:
        definition = self.model.entities[entity]
        names = (*definition.fields, *definition.inverses)
        return [n for n in names if self._permit is None or not self._permit.conceals(entity, n)]

    def _of(self, entity: str, name: str) -> Type | None:
        if self._permit is not None and self._permit.conceals(entity, name):
            return None
        definition = self.model.entities[entity]
        if (field := definition.fields.get(name)) is not None:
            return field.type.formula_type()
        inverse = definition.inverses.get(name)
        if inverse is None:
            return None
        return record_of(inverse.entity) if inverse.one else records_of(inverse.entity)

    def _setting(self, key: str) -> str:
        found = self.model.settings.get(key)
        return found.type if found is not None else ""


def _setting_types() -> dict[str, Type]:
    from trellis.formula.types import BOOLEAN, DATE, DATETIME, DURATION, MONEY, NUMBER, TEXT, TIME

    numbers = dict.fromkeys(("integer", "decimal", "percent", "rating"), NUMBER)
    texts = dict.fromkeys(("text", "long_text", "email", "phone", "url", "choice", "color"), TEXT)
    others = {
        "money": MONEY,
        "boolean": BOOLEAN,
        "date": DATE,
        "datetime": DATETIME,
        "time": TIME,
        "duration": DURATION,
    }
    return {**numbers, **texts, **others}


_SETTING_TYPES = _setting_types()
