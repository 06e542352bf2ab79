"""What has another name now: entities, fields, stages and choices, from `was:` and back again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as dc_field
from typing import TYPE_CHECKING, Any

from trellis.storage.names import short

if TYPE_CHECKING:
    from trellis.model.entity import Entity
    from trellis.model.field import Field
    from trellis.model.model import Model
    from trellis.storage.live import Live


@dataclass(frozen=True)
class ValueRename:
    """A stored value with another name: a choice or a stage. `pipeline` when only its records are meant."""

    entity: str
    field: str
    old: str
    new: str
    several: bool = False
    stage_of: str | None = None  # the pipeline's key
    pipeline_column: str | None = None  # set when the entity has other pipelines too


@dataclass
class Renames:
    """Old names to new ones. Columns are by the table's new name."""

    entities: dict[str, str] = dc_field(default_factory=dict)
    fields: dict[str, dict[str, str]] = dc_field(default_factory=dict)  # by the entity's new key
    tables: dict[str, str] = dc_field(default_factory=dict)
    columns: dict[str, dict[str, str]] = dc_field(default_factory=dict)
    values: list[ValueRename] = dc_field(default_factory=list)

    def live_table(self, table: str) -> str:
        """What a table is still called."""
        return next((old for old, new in self.tables.items() if new == table), table)

    def live_column(self, table: str, column: str) -> str:
        """What a column is still called."""
        return next((old for old, new in self.columns.get(table, {}).items() if new == column), column)


def find_renames(old: Model | None, new: Model, live: Live) -> Renames:
    """Compare `was:` with what the live tables still have. A name that is still in use was not renamed.

    Going back to an earlier revision undoes a rename: there it is the live Model that says `was`.
    """
    renames = Renames()
    for entity in new.entities.values():
        before = _earlier(entity.key, entity.was, new.entities, old.entities if old else {})
        if before and short(before) in live.columns and short(entity.key) not in live.columns:
            renames.entities[before] = entity.key
            renames.tables[short(before)] = short(entity.key)
    for entity in new.entities.values():
        _find_fields(entity, old, live, renames)
    if old is not None:
        renames.values.extend(_values(old, new, renames))
    return renames


def _earlier(key: str, was: str | None, new: Mapping[str, Any], old: Mapping[str, Any]) -> str | None:
    """The name that a thing had before: what `was` says, or what says that it was this."""
    if was and was not in new:
        return was
    if key in old:
        return None
    return next((o.key for o in old.values() if o.was == key and o.key not in new), None)


def _old_entity(key: str, old: Model | None, renames: Renames) -> Entity | None:
    before = next((o for o, n in renames.entities.items() if n == key), key)
    return old.entities.get(before) if old else None


def _find_fields(entity: Entity, old: Model | None, live: Live, renames: Renames) -> None:
    table = short(entity.key)
    columns = live.columns.get(renames.live_table(table), frozenset())
    before_entity = _old_entity(entity.key, old, renames)
    old_fields = before_entity.fields if before_entity else {}
    for field in entity.fields.values():
        before = _earlier(field.key, field.was, entity.fields, old_fields)
        moved = before is not None and _move_columns(table, field, before, columns, renames)
        moved = _move_link_table(entity, field, before or field.key, live, renames) or moved
        if before and moved:
            renames.fields.setdefault(entity.key, {})[before] = field.key


def _move_columns(table: str, field: Field, before: str, columns: frozenset[str], renames: Renames) -> bool:
    moved = False
    for suffix in field.type.columns() if field.is_stored else ():
        old, new = short(before + suffix), short(field.key + suffix)
        if old in columns and new not in columns:
            renames.columns.setdefault(table, {})[old] = new
            moved = True
    return moved


def _move_link_table(entity: Entity, field: Field, before: str, live: Live, renames: Renames) -> bool:
    """A link table is called after the entity and the field: it moves with either."""
    source = next((o for o, n in renames.entities.items() if n == entity.key), entity.key)
    old, new = short(f"{source}__{before}"), short(f"{entity.key}__{field.key}")
    if old != new and old in live.columns and new not in live.columns:
        renames.tables[old] = new
        return True
    return False


def _values(old: Model, new: Model, renames: Renames) -> Iterator[ValueRename]:
    for entity in new.entities.values():
        before = _old_entity(entity.key, old, renames)
        if before is not None:
            yield from _choices(before, entity, new, renames)
    for pipeline in new.pipelines.values():
        earlier = old.pipelines.get(pipeline.key)
        if earlier is None:
            continue
        others = [p for p in new.pipelines.values() if (p.entity, p.field) == (pipeline.entity, pipeline.field)]
        column = "pipeline" if pipeline.field == "stage" else f"{pipeline.field}_pipeline"
        for was, key in _pairs(earlier.stages.values(), pipeline.stages.values()):
            yield ValueRename(
                pipeline.entity,
                pipeline.field,
                was,
                key,
                stage_of=pipeline.key,
                pipeline_column=column if len(others) > 1 else None,
            )


def _choices(before: Entity, entity: Entity, new: Model, renames: Renames) -> Iterator[ValueRename]:
    staged = {p.field for p in new.pipelines.values() if p.entity == entity.key}
    moved = {n: o for o, n in renames.fields.get(entity.key, {}).items()}
    for field in entity.fields.values():
        earlier = before.fields.get(moved.get(field.key, field.key))
        if earlier is None or not field.is_stored or field.key in staged:
            continue
        for was, key in _pairs(choice_list(earlier), choice_list(field)):
            yield ValueRename(entity.key, field.key, was, key, several=field.type.formula_type().kind == "list")


def choice_list(field: Field) -> tuple[Any, ...]:
    """The choices that a field lists; none where they come from what the platform knows."""
    choices = getattr(field.type, "choices", ())
    return choices if isinstance(choices, tuple) else ()


def _pairs(old: Iterable[Any], new: Iterable[Any]) -> Iterator[tuple[str, str]]:
    """(old key, new key) of what was renamed between two lists of things with `key` and `was`."""
    before, after = {o.key: o for o in old}, {n.key: n for n in new}
    for key, item in after.items():
        if key not in before:
            was = _earlier(key, item.was, after, before)
            if was is not None:  # also of what is gone from the configuration: records may still have it
                yield was, key
