"""What the editor completes from: the language's schemas, and the names that this configuration has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trellis.formula.functions.registry import functions
from trellis.model.compile.editor import schemas
from trellis.web.i18n import say

if TYPE_CHECKING:
    from trellis.config.stack import Configuration
    from trellis.model.model import Model


def vocabulary(model: Model, configuration: Configuration) -> dict[str, Any]:
    """Schemas by kind with the definitions they share, entities with their fields, and all other names."""
    kinds = schemas(model.entities)
    kinds.pop("trellis")
    definitions = next(iter(kinds.values()))["definitions"]
    return {
        "kinds": {name: {k: v for k, v in one.items() if k != "definitions"} for name, one in kinds.items()},
        "definitions": definitions,
        "entities": {key: _entity(entity) for key, entity in model.entities.items()},
        "names": {**_names(model), "choices": {k: _said(d.data) for k, d in configuration.of("choices").items()}},
        "functions": sorted(functions()),
    }


def _entity(entity: Any) -> dict[str, Any]:
    fields = {key: [str(say(f.label)), f.type.name] for key, f in entity.fields.items()}
    return {"label": str(say(entity.label)), "fields": fields}


def _names(model: Model) -> dict[str, dict[str, str]]:
    stages = {k: str(say(s.label)) for p in model.pipelines.values() for k, s in p.stages.items()}
    labelled = {
        "roles": model.roles,
        "modules": model.modules,
        "pipelines": model.pipelines,
        "reports": model.reports,
        "dashboards": model.dashboards,
        "workflows": model.workflows,
        "emails": model.emails,
        "formats": model.formats,
        "calendars": model.calendars,
        "settings": model.settings,
    }
    names = {group: {key: _label(one) for key, one in found.items()} for group, found in labelled.items()}
    return {**names, "stages": stages}


def _said(data: Any) -> str:
    return str(data.get("label", "")) if isinstance(data, dict) else ""


def _label(one: Any) -> str:
    return str(say(getattr(one, "label", "")) or "")
