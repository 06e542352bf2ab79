"""An entity, resolved: its fields, links, rules, views and forms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dc_field
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from trellis.model.field import Field
from trellis.model.matching import Match
from trellis.model.text import NO_TEXT, Text

if TYPE_CHECKING:
    from trellis.formula.formula import Formula
    from trellis.model.form import Form
    from trellis.model.pipeline import Pipeline
    from trellis.model.view import Related, View


@dataclass(frozen=True, slots=True)
class Inverse:
    """The far side of a link: `name` on this entity lists the records of `entity` whose `field` points here.

    `one` says that it is a single record. `many` says that `field` is a `links` (many-to-many).
    """

    name: str
    entity: str
    field: str
    label: Text
    one: bool = False
    many: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition that every writer must keep: refused with `message` when `check` is false (blank is not false)."""

    key: str
    check: Formula
    message: Formula  # of type text, so that a message may name values
    text: Text
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Unique:
    """Fields that no two live records share; blanks do not count."""

    key: str
    fields: tuple[str, ...]
    case: bool = True
    message: Text | None = None


@dataclass(frozen=True, slots=True)
class Dedupe:
    """A rule that looks for a record like this one, among its own kind or `against` other entities."""

    key: str
    match: tuple[Match, ...]
    action: Literal["block", "warn"] = "warn"
    against: Mapping[str, Mapping[str, str]] = dc_field(default_factory=dict)  # entity → its field by the own one

    def targets(self, entity: str) -> list[tuple[str, Mapping[str, str]]]:
        """The entities that are looked in, with the field there for each field of the rule."""
        own = {match.field: match.field for match in self.match}
        return [(key, {**own, **names}) for key, names in self.against.items()] or [(entity, own)]


@dataclass(frozen=True, slots=True)
class Filter:
    """A named filter, combinable with any view."""

    key: str
    label: Text
    formula: Formula


@dataclass(frozen=True, slots=True)
class Features:
    """What the pages and the API offer for an entity."""

    activities: bool = True
    comments: bool = True
    files: bool = True
    followers: bool = True
    tags: bool = False
    import_: bool = True
    export: bool = True
    api: bool = True


@dataclass(frozen=True)
class Entity:
    """One kind of record, fully resolved. `fields` holds the declared and the system fields, in order."""

    key: str
    label: Text
    plural: Text
    fields: Mapping[str, Field]
    icon: str = "box"
    color: str = ""
    module: str | None = None
    description: Text = NO_TEXT
    title: Formula | None = None  # of type text
    title_field: str | None = None  # set when the title is simply this field
    natural_key: str | None = None
    part_of: str | None = None  # the parent entity; `parent_field` is the link to it
    parent_field: str | None = None
    owner_field: str | None = None
    rate_date: str | None = None  # the date whose exchange rates hold; a part's is its parent's, else when it was made
    inverses: Mapping[str, Inverse] = dc_field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    uniques: tuple[Unique, ...] = ()
    indexes: Mapping[str, tuple[str, ...]] = dc_field(default_factory=dict)
    dedupe: tuple[Dedupe, ...] = ()
    merge: bool = True  # whether records may be merged
    filters: Mapping[str, Filter] = dc_field(default_factory=dict)
    views: Mapping[str, View] = dc_field(default_factory=dict)
    form: Form | None = None
    forms: Mapping[str, Form] = dc_field(default_factory=dict)
    quick_create: tuple[str, ...] = ()
    highlights: tuple[str, ...] = ()
    related: tuple[Related, ...] = ()
    timeline: tuple[str, ...] = ()
    pipelines: Mapping[str, Pipeline] = dc_field(default_factory=dict)
    features: Features = dc_field(default_factory=Features)
    was: str | None = None
    purge_after: timedelta | None = None  # how long what was deleted stays in the bin; None: as the tenant says
    internal: bool = False  # user, team: pages of their own

    def pipeline_of(self, key: str | None) -> Pipeline | None:
        """The pipeline a record is in: the one it names, else the entity's default one."""
        if key is not None and key in self.pipelines:
            return self.pipelines[key]
        return next((p for p in self.pipelines.values() if p.default), next(iter(self.pipelines.values()), None))

    def stored_fields(self) -> list[Field]:
        """Fields with columns of their own in the entity's table."""
        return [*self._stored]

    @cached_property
    def _stored(self) -> tuple[Field, ...]:
        return tuple(f for f in self.fields.values() if f.is_stored)

    @cached_property
    def entered_money(self) -> tuple[Field, ...]:
        """The fields whose amounts are entered, and so have a base that is kept."""
        return tuple(f for f in self._stored if f.type.formula_type().kind == "money" and not f.is_derived)

    @cached_property
    def many_to_many(self) -> tuple[Field, ...]:
        """The links fields."""
        return tuple(f for f in self.fields.values() if f.type.formula_type().kind == "records" and not f.is_derived)

    def search_fields(self) -> list[Field]:
        """Fields whose text the entity is found by."""
        return [f for f in self.fields.values() if f.search]
