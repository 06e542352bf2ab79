"""What a caller may know of the Model: entities, fields, links, pipelines, and what may be done with them."""

from __future__ import annotations

from typing import Any

from trellis.api.scope import linked_lists, part_lists, readable, writable
from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.model.fields.choices import ChoiceLike
from trellis.model.pipeline import Pipeline
from trellis.model.role import ACTIONS
from trellis.records.store import Store
from trellis.web.filters.fields import open_filters
from trellis.web.i18n import say
from trellis.web.lists.state import every_view


def describe(store: Store, entity: Entity) -> dict[str, Any]:
    """An entity, whole."""
    writes = {f.key for f in writable(store, entity)}
    fields = [*readable(store, entity), *(f for f in writable(store, entity) if f.type.is_write_only)]
    return {
        **summary(store, entity),
        "description": say(entity.description) if entity.description else None,
        "fields": [_field(f, f.key in writes) for f in fields],
        "lists": [_list(store, entity, name) for name in linked_lists(store, entity)],
        "pipelines": [_pipeline(store, entity, p) for p in entity.pipelines.values()],
        "views": list(every_view(entity, store.principal.roles)),
        "filters": list(open_filters(store, entity)),
    }


def summary(store: Store, entity: Entity) -> dict[str, Any]:
    """An entity in one line."""
    return {
        "key": entity.key,
        "label": say(entity.label),
        "plural": say(entity.plural),
        "part_of": entity.part_of,
        "natural_key": None if _hides(store, entity, entity.natural_key) else entity.natural_key,
        "actions": [action for action in ACTIONS if store.may(action, entity.key)],
    }


def _hides(store: Store, entity: Entity, name: str | None) -> bool:
    return name is not None and store.session.permit.hides(entity.key, name)


def _field(field: Field, is_writable: bool) -> dict[str, Any]:
    kind = field.type.formula_type()
    found: dict[str, Any] = {
        "key": field.key,
        "label": say(field.label),
        "help": say(field.help) if field.help else None,
        "type": field.type.name,
        "required": field.required,
        "unique": field.unique,
        "writable": is_writable,
        "derived": field.is_derived,
        "personal": field.personal,
        "schema": field.type.json_schema(),
    }
    if isinstance(field.type, ChoiceLike):
        found["choices"] = [{"key": c.key, "label": say(c.label)} for c in field.type.options()]
    if kind.kind in ("record", "records"):
        found["links_to"] = list(kind.entities)
    return found


def _list(store: Store, entity: Entity, name: str) -> dict[str, Any]:
    inverse = entity.inverses.get(name)
    if inverse is None:
        return {"name": name, "entity": entity.fields[name].type.formula_type().entities[0], "part": False}
    return {"name": name, "entity": inverse.entity, "part": name in part_lists(store, entity)}


def _pipeline(store: Store, entity: Entity, pipeline: Pipeline) -> dict[str, Any]:
    hides = store.session.permit.hides
    return {
        "key": pipeline.key,
        "label": say(pipeline.label),
        "field": pipeline.field,
        "stages": [
            {
                "key": stage.key,
                "label": say(stage.label),
                "type": stage.type,
                "require": [name for name in stage.require if not hides(entity.key, name)],
                "checklist": {key: say(text) for key, text in stage.checklist.items()},
            }
            for stage in pipeline.stages.values()
        ],
    }
