"""A field that there is: another label, another help, shown or hidden, required or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _

from trellis.studio.changes.add_field import editable
from trellis.studio.changes.answers import labels, languages, text
from trellis.studio.changes.registry import Change, Mistaken, Written, change
from trellis.studio.writing import REMOVE, Edit

if TYPE_CHECKING:
    from werkzeug.datastructures import MultiDict

    from trellis.model.entity import Entity
    from trellis.model.field import Field
    from trellis.studio.changes.registry import Desk

EVERYWHERE = frozenset({"form", "list", "export", "api"})


@change("field")
class ChangeField(Change):
    """Relabel, explain, hide or require a field."""

    icon = "pencil"
    template = "field"

    @classmethod
    def label(cls) -> str:
        """What it is called."""
        return str(_("Change or hide a field"))

    @classmethod
    def about(cls) -> str:
        """What it is for."""
        return str(_("Another label in any language, a help text, required or not, shown or hidden"))

    def ask(self, given: MultiDict[str, str]) -> dict[str, Any]:
        """The field as it is."""
        entities = editable(self.desk.model.entities.values())
        entity = self.desk.model.entities.get(given.get("entity", "")) or next(iter(entities), None)
        fields = changeable(entity) if entity is not None else []
        field = next((f for f in fields if f.key == given.get("field")), fields[0] if fields else None)
        return {
            "entities": entities,
            "entity": entity,
            "fields": fields,
            "field": field,
            "shown": shown(field) if field is not None else "",
            "tongues": _tongues(self.desk, field),
        }

    def write(self, given: MultiDict[str, str]) -> Written:
        """Only what is another than now."""
        entity = self.desk.model.entities.get(given.get("entity", ""))
        field = entity.fields.get(given.get("field", "")) if entity is not None else None
        if entity is None or field is None or field.system:
            raise Mistaken({"field": _("Choose a field.")})
        label = text(given, "label")
        if not label:
            raise Mistaken({"label": _("Give it a label.")})
        path = ("fields", field.key)
        written = Written()

        def put(name: str, value: Any) -> None:
            written.edits.append(Edit("entity", entity.key, (*path, name), value))

        if label != field.label.source:
            put("label", label)
        if (help_text := text(given, "help", 300)) != field.help.source:
            put("help", help_text or None)
        if (wanted := given.get("shown", "")) != shown(field):
            put("hidden", {"yes": False, "form": ["form"], "list": ["list"], "no": True}.get(wanted, REMOVE))
        if (required := bool(given.get("required"))) != field.required:
            put("required", required)
        text_path = f"entity.{entity.key}.fields.{field.key}.label"
        for tag, said in labels(given, self.desk):
            if said != field.label.translations.get(tag):
                written.texts.append((tag, text_path, said))
        return written


def _tongues(desk: Desk, field: Field | None) -> list[tuple[str, str]]:
    """Labels are written in English unless they have an English translation."""
    translated = field is not None and "en" in field.label.translations
    return languages(desk, but="" if translated else "en")


def changeable(entity: Entity) -> list[Field]:
    """The fields that people know of, in the order of the entity."""
    return [f for f in entity.fields.values() if not f.system]


def shown(field: Field) -> str:
    """How the form says where the field is shown."""
    if not field.hidden:
        return "yes"
    if field.hidden >= EVERYWHERE:
        return "no"
    return next(iter(field.hidden)) if field.hidden in ({"form"}, {"list"}) else "other"
