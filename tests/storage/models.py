"""Models made by hand: storage is tested without YAML."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import sqlalchemy as sa

from trellis.formula.types import Type, record_of, records_of
from trellis.model.entity import Entity, Unique
from trellis.model.field import Field
from trellis.model.fields.base import FieldType
from trellis.model.model import Model
from trellis.model.text import Text

_numbers = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class Plain(FieldType):
    """A type that is one column."""

    name = "text"
    column: str = "text"

    def columns(self):
        kinds = {"text": sa.Text(), "integer": sa.BigInteger(), "numeric": sa.Numeric(), "date": sa.Date()}
        return {"": kinds[self.column]}


@dataclass(frozen=True, kw_only=True)
class Link(FieldType):
    """A many-to-one link."""

    name = "link"
    to: str

    def columns(self):
        return {"": sa.Uuid()}

    def formula_type(self) -> Type:
        return record_of(self.to)


@dataclass(frozen=True, kw_only=True)
class Links(FieldType):
    """A many-to-many link."""

    name = "links"
    to: str

    def columns(self):
        return {}

    def formula_type(self) -> Type:
        return records_of(self.to)


def field(key: str, column: str = "text", **properties) -> Field:
    """A plain field."""
    return Field(key, Plain(column=column), Text(key), **properties)


def entity(key: str, *fields: Field, **properties) -> Entity:
    """An entity of fields."""
    return Entity(key, Text(key), Text(key), {f.key: f for f in fields}, **properties)


def model_of(*entities: Entity, **properties) -> Model:
    """A Model with a hash of its own."""
    return Model(f"test-{next(_numbers)}", {e.key: e for e in entities}, **properties)


def small_model() -> Model:
    """Accounts, deals that point to them, and a link table; the words are SQL's on purpose."""
    account = entity("account", field("name", search=True), field("number", unique=True))
    order = entity(
        "order",
        field("group"),
        field("amount", "numeric", index=True),
        Field("account", Link(to="account"), Text("Account")),
        Field("contacts", Links(to="account"), Text("Contacts")),
        uniques=(Unique("per-account", ("account", "group"), case=False),),
    )
    return model_of(account, order)
