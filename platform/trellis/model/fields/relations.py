"""Links between records: to one, to many, to a record of any of several entities, to people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from trellis.formula.types import Ref, Type, Value, record_of, records_of
from trellis.model.fields.base import FieldType, Invalid, blank, wrong_kind
from trellis.model.fields.option import option
from trellis.model.fields.registry import field_type

if TYPE_CHECKING:
    from trellis.formula.formula import Formula
    from trellis.formula.reader import Reader
else:
    Formula = Any

OnDelete = Literal["restrict", "clear", "cascade"]
_ON_DELETE_DOC = "what happens to this record when the linked one is deleted"


def to_ref(raw: Any, entities: tuple[str, ...]) -> Ref:
    """A link as given: a Ref, an id, `entity:id`, or {entity, id, title}. `entities` are those allowed (none: any).

    Whether the record exists is the door's question; so are natural keys. Raises Invalid.
    """
    if isinstance(raw, Ref):
        return _allowed(raw, entities)
    entity, id, title = (entities[0] if len(entities) == 1 else None), raw, None
    if isinstance(raw, Mapping):
        entity, id, title = raw.get("entity", entity), raw.get("id"), raw.get("title")
    elif isinstance(raw, str) and ":" in raw and not raw.startswith("urn:"):
        entity, _, id = raw.strip().partition(":")
    if not isinstance(id, UUID):
        try:
            id = UUID(str(id).strip())
        except ValueError as fault:
            raise Invalid("link", "“{value}” names no record.", value=str(id)[:60]) from fault
    if not entity:
        raise wrong_kind("a record with its entity")
    return _allowed(Ref(str(entity), id, title), entities)


def _allowed(ref: Ref, entities: tuple[str, ...]) -> Ref:
    if entities and ref.entity not in entities:
        raise Invalid("link", "A record of {entity} cannot be linked here.", entity=ref.entity)
    return ref


def ref_json(ref: Ref) -> dict[str, Any]:
    """A link for the API and the history."""
    parts = {"entity": ref.entity, "id": str(ref.id)}
    return parts if ref.title is None else {**parts, "title": ref.title}


def link_schema(entities: tuple[str, ...]) -> dict[str, Any]:
    """The JSON Schema of a link as `ref_json` writes it; no entities: any."""
    entity: dict[str, Any] = {"type": "string", "enum": list(entities)} if entities else {"type": "string"}
    parts = {"entity": entity, "id": {"type": "string", "format": "uuid"}, "title": {"type": "string"}}
    return {"type": "object", "properties": parts, "required": ["entity", "id"]}


def link_input(entities: tuple[str, ...]) -> dict[str, Any]:
    """The JSON Schema of a link as it is given: the id alone where one entity is meant, else `entity:id`."""
    id = {"type": "string", "format": "uuid"} if len(entities) == 1 else {"type": "string"}
    given = link_schema(entities)
    return {"oneOf": [id, given if len(entities) != 1 else {**given, "required": ["id"]}]}


@dataclass(frozen=True, kw_only=True)
class LinkLike(FieldType):
    """What single links share."""

    widget: ClassVar[str] = "link"
    cell: ClassVar[str] = "link"
    operators: ClassVar[tuple[str, ...]] = ("==", "!=", "in", "is_blank", "is_not_blank")
    can_group: ClassVar[bool] = True

    def targets(self) -> tuple[str, ...]:
        """The entities a link may point to; empty: any."""
        raise NotImplementedError

    def formula_type(self) -> Type:
        return record_of(*self.targets())

    def columns(self) -> Mapping[str, TypeEngine[Any]]:
        return {"": sa.Uuid()}

    def to_columns(self, value: Value) -> dict[str, Any]:
        return {"": value.id if value is not None else None}

    def from_columns(self, columns: Mapping[str, Any]) -> Value:
        return None if columns[""] is None else Ref(self.targets()[0], columns[""])

    def parse(self, raw: Any, reader: Reader) -> Value:
        if blank(raw) or (isinstance(raw, Mapping) and blank(raw.get("id"))):
            return None
        return to_ref(raw, self.targets())

    def json_schema(self) -> dict[str, Any]:
        return link_schema(self.targets())

    def json_input(self) -> dict[str, Any]:
        return link_input(self.targets())

    def to_json(self, value: Value) -> Any:
        return None if value is None else ref_json(value)

    def write_text(self, value: Value, reader: Reader) -> str:
        return "" if value is None else str(value.id)

    def display(self, value: Value, reader: Reader) -> str:
        return "" if value is None else value.title or str(value.id)

    def search_text(self, value: Value) -> str:
        return (value.title or "") if value is not None else ""


@field_type("link")
@dataclass(frozen=True, kw_only=True)
class Link(LinkLike):
    """A record of one entity (many-to-one)."""

    doc: ClassVar[str] = "A record of another entity (many-to-one)."

    to: str = option(MISSING, "the entity that is linked to")
    inverse: str | None = option(None, "the name of the list that the linked entity gets")
    on_delete: OnDelete = option("restrict", _ON_DELETE_DOC)
    create: bool = option(True, "whether the picker offers to create a record")
    filter: Formula | None = option(
        None, "which records may be linked; `this` is the record being edited", formula=True
    )
    one: bool = option(False, "whether the far side is a single record instead of a list")
    tree: bool = option(False, "whether the link, to its own entity, makes a tree")

    def targets(self) -> tuple[str, ...]:
        return (self.to,)


@field_type("user")
@dataclass(frozen=True, kw_only=True)
class User(LinkLike):
    """A person who signs in (short for a link to user)."""

    doc: ClassVar[str] = "A person who signs in; short for a `link` to `user`."
    widget: ClassVar[str] = "user"
    cell: ClassVar[str] = "user"

    inverse: str | None = option(None, "the name of the list that the user gets")
    on_delete: OnDelete = option("restrict", _ON_DELETE_DOC)
    create: bool = option(False, "whether the picker offers to create a user")
    filter: Formula | None = option(None, "which people may be chosen", formula=True)

    @property
    def to(self) -> str:
        """The entity that is linked to."""
        return self.name

    def targets(self) -> tuple[str, ...]:
        return (self.name,)


@field_type("team")
@dataclass(frozen=True, kw_only=True)
class Team(User):
    """A team (short for a link to team)."""

    doc: ClassVar[str] = "A team; short for a `link` to `team`."
    widget: ClassVar[str] = "link"
    cell: ClassVar[str] = "link"


@field_type("any_link")
@dataclass(frozen=True, kw_only=True)
class AnyLink(LinkLike):
    """A record of one of several entities."""

    doc: ClassVar[str] = 'A record of one of several entities, or of any (`to: "*"`).'
    widget: ClassVar[str] = "any_link"

    to: tuple[str, ...] = option(
        ("*",), 'the entities that may be linked to, or "*"', {"type": ["string", "array"], "items": {"type": "string"}}
    )
    inverse: str | None = option(None, "the name of the list that each linked entity gets")
    on_delete: OnDelete = option("clear", _ON_DELETE_DOC)
    create: bool = option(False, "whether the picker offers to create a record")
    filter: Formula | None = option(
        None, "which records may be linked; `this` is the record being edited", formula=True
    )

    def targets(self) -> tuple[str, ...]:
        return () if "*" in self.to else self.to

    def columns(self) -> Mapping[str, TypeEngine[Any]]:
        return {"": sa.Uuid(), "_entity": sa.Text()}

    def to_columns(self, value: Value) -> dict[str, Any]:
        return {"": None, "_entity": None} if value is None else {"": value.id, "_entity": value.entity}

    def from_columns(self, columns: Mapping[str, Any]) -> Value:
        return None if columns[""] is None else Ref(columns["_entity"], columns[""])

    def write_text(self, value: Value, reader: Reader) -> str:
        return "" if value is None else f"{value.entity}:{value.id}"


@field_type("links")
@dataclass(frozen=True, kw_only=True)
class Links(FieldType):
    """Records of one entity (many-to-many), kept in a table of their own with their columns."""

    doc: ClassVar[str] = "Records of another entity (many-to-many), with columns of their own."
    widget: ClassVar[str] = "links"
    cell: ClassVar[str] = "links"
    operators: ClassVar[tuple[str, ...]] = ("has", "has_not", "is_blank", "is_not_blank")
    can_sort: ClassVar[bool] = False

    to: str = option(MISSING, "the entity that is linked to")
    inverse: str | None = option(None, "the name of the list that the linked entity gets")
    primary: str | None = option(None, "a link field, made when missing, that keeps the main one of them")
    columns_of_link: Mapping[str, Any] = option(
        {},
        "fields (Field by key) that each link carries, like the part a contact plays",
        {"type": "object"},
        name="columns",
    )
    create: bool = option(True, "whether the picker offers to create a record")
    filter: Formula | None = option(
        None, "which records may be linked; `this` is the record being edited", formula=True
    )
    min_items: int | None = option(None, "how many there must be at least")
    max_items: int | None = option(None, "how many there may be at most")

    @property
    def link_columns(self) -> Mapping[str, Any]:
        """The fields that each link carries, by key."""
        return self.columns_of_link

    def targets(self) -> tuple[str, ...]:
        """The entities a link may point to."""
        return (self.to,)

    def formula_type(self) -> Type:
        return records_of(self.to)

    def columns(self) -> Mapping[str, TypeEngine[Any]]:
        return {}

    def to_columns(self, value: Value) -> dict[str, Any]:
        return {}

    def from_columns(self, columns: Mapping[str, Any]) -> Value:
        return None

    def parse(self, raw: Any, reader: Reader) -> Value:
        if blank(raw):
            return None
        items = [part for part in raw.replace("\n", ";").split(";") if part.strip()] if isinstance(raw, str) else raw
        if not isinstance(items, (list, tuple)):
            raise wrong_kind("a list of records")
        return tuple(dict.fromkeys(to_ref(item, self.targets()) for item in items)) or None

    def check(self, value: Value) -> Iterator[Invalid]:
        if self.min_items is not None and len(value) < self.min_items:
            yield Invalid("length", "Must have at least {min} items.", min=self.min_items)
        if self.max_items is not None and len(value) > self.max_items:
            yield Invalid("length", "Must have at most {max} items.", max=self.max_items)

    def same(self, one: Value, other: Value) -> bool:
        return set(one or ()) == set(other or ())

    def json_schema(self) -> dict[str, Any]:
        return {"type": "array", "items": link_schema(self.targets())}

    def json_input(self) -> dict[str, Any]:
        return {"type": "array", "items": link_input(self.targets())}

    def to_json(self, value: Value) -> Any:
        return [ref_json(ref) for ref in value or ()]

    def write_text(self, value: Value, reader: Reader) -> str:
        return "; ".join(str(ref.id) for ref in value or ())

    def display(self, value: Value, reader: Reader) -> str:
        return ", ".join(ref.title or str(ref.id) for ref in value or ())

    def search_text(self, value: Value) -> str:
        return " ".join(ref.title or "" for ref in value or ())
