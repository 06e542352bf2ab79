"""A new field: its type with the type's own options, its label in every language, its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from trellis.model.compile.outline import RESERVED
from trellis.model.fields import FIELD_TYPES
from trellis.model.fields.option import option_schema
from trellis.studio.changes.answers import company_language, key_of, labels, languages, number, text, typed_key
from trellis.studio.changes.registry import Change, Mistaken, Written, change
from trellis.studio.writing import Edit
from trellis.web.i18n import say

if TYPE_CHECKING:
    from werkzeug.datastructures import MultiDict

    from trellis.model.entity import Entity

TYPES = {
    "text": _l("Text, one line"),
    "long_text": _l("Text, several lines"),
    "rich_text": _l("Text with formatting"),
    "integer": _l("Whole number"),
    "decimal": _l("Number with decimals"),
    "money": _l("Money"),
    "percent": _l("Percent"),
    "rating": _l("Rating with stars"),
    "boolean": _l("Yes or no"),
    "choice": _l("Choice: one of several"),
    "choices": _l("Choice: several of several"),
    "date": _l("Date"),
    "datetime": _l("Date and time"),
    "time": _l("Time of day"),
    "duration": _l("Duration"),
    "link": _l("Link to a record"),
    "links": _l("Links to several records"),
    "user": _l("Person of the company"),
    "email": _l("E-mail address"),
    "phone": _l("Phone number"),
    "url": _l("Web address"),
    "address": _l("Postal address"),
    "file": _l("File"),
    "image": _l("Picture"),
    "tags": _l("Tags"),
    "list": _l("List of texts"),
    "sequence": _l("Running number"),
    "barcode": _l("Barcode"),
    "color": _l("Colour"),
    "secret": _l("Secret (encrypted)"),
}
# options that a line asks for; the rest of a type's options is for the editor
OPTIONS = {
    "min": _l("At least"),
    "max": _l("At most"),
    "min_length": _l("Letters, at least"),
    "max_length": _l("Letters, at most"),
    "min_items": _l("How many, at least"),
    "max_items": _l("How many, at most"),
    "scale": _l("Decimals"),
    "unit": _l("Unit"),
    "currency": _l("Currency, if it is always the same"),
    "on_delete": _l("When the other record is deleted"),
    "create": _l("can be created while choosing"),
    "one": _l("only one of these may link to the same record"),
    "tree": _l("is a tree: records below records"),
    "multiple": _l("several of them"),
    "accept": _l("Kinds of files, such as .pdf"),
    "max_size": _l("Largest file, such as 10 MB"),
    "mask": _l("Mask, such as A-{yyyy}-{0000}"),
    "start": _l("First number"),
    "reset": _l("Begins anew each"),
    "gap_free": _l("without gaps"),
    "complete": _l("street, city and country have to be there"),
    "kind": _l("Kind"),
}
NEVER_REQUIRED = frozenset({"sequence"})


@change("add-field")
class AddField(Change):
    """Add a field to an entity."""

    icon = "forms"
    template = "add_field"

    @classmethod
    def label(cls) -> str:
        """What it is called."""
        return str(_("Add a field"))

    @classmethod
    def about(cls) -> str:
        """What it is for."""
        return str(
            _("Something more to know of each account, deal, ticket…: a text, a number, a choice, a date, a link")
        )

    def ask(self, given: MultiDict[str, str]) -> dict[str, Any]:
        """Entities, types with their options, places in the form."""
        entities = editable(self.desk.model.entities.values())
        entity = self.desk.model.entities.get(given.get("entity", "")) or next(iter(entities), None)
        return {
            "entities": entities,
            "entity": entity,
            "types": {name: label for name, label in TYPES.items() if name in FIELD_TYPES},
            "options": {name: simple_options(name) for name in TYPES if name in FIELD_TYPES},
            "sections": entity.form.sections if entity is not None and entity.form is not None else (),
            "tongues": languages(self.desk, but=company_language()),
            "linkable": entities,
        }

    def write(self, given: MultiDict[str, str]) -> Written:
        """`fields.<key>: {type: …, label: …, place: …}`."""
        faults: dict[str, str] = {}
        entity = self.desk.model.entities.get(given.get("entity", ""))
        kind = given.get("type", "")
        if entity is None:
            raise Mistaken({"entity": _("Choose what gets the field.")})
        if kind not in TYPES or kind not in FIELD_TYPES:
            raise Mistaken({"type": _("Choose a type.")})
        label = text(given, "label")
        if not label:
            raise Mistaken({"label": _("Give it a label.")})
        key = typed_key(given, label, {*entity.fields, *RESERVED}, faults)
        field: dict[str, Any] = {"type": kind, "label": label}
        field |= self._options(kind, given, faults)
        for name in ("required", "unique", "search"):
            if given.get(name) and not (name == "required" and kind in NEVER_REQUIRED):
                field[name] = True
        if help_text := text(given, "help", 300):
            field["help"] = help_text
        if place := _place(given, entity):
            field["place"] = place
        if faults:
            raise Mistaken(faults)
        written = Written([Edit("entity", entity.key, ("fields", key), field)])
        path = f"entity.{entity.key}.fields.{key}.label"
        written.texts += [(tag, path, said) for tag, said in labels(given, self.desk) if said and said != label]
        return written

    def _options(self, kind: str, given: MultiDict[str, str], faults: dict[str, str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if kind in ("choice", "choices"):
            found["choices"] = choices_of(given.get("choices", ""), faults)
        if kind in ("link", "links"):
            target = self.desk.model.entities.get(given.get("to", ""))
            if target is None:
                faults["to"] = _("Choose what it links to.")
            else:
                found["to"] = target.key
        for name, shape in simple_options(kind).items():
            where = f"{kind}.{name}"
            if shape["input"] == "check":
                if given.get(where):
                    found[name] = True
            elif shape["input"] == "number":
                value = number(given, where, faults, whole=shape["whole"])
                if value is not None:
                    found[name] = value
            elif typed := text(given, where, 200):
                found[name] = typed
        return found


def editable(entities: Any) -> list[Entity]:
    """What gets fields of its own: everything with pages or within a record, by label."""
    found = [e for e in entities if not e.internal]
    return sorted(found, key=lambda e: str(say(e.label)).casefold())


def simple_options(kind: str) -> dict[str, dict[str, Any]]:
    """A type's own options that a simple input can ask for, from the registry."""
    cls = FIELD_TYPES[kind]
    found = {}
    for name, schema in option_schema(cls)["properties"].items():
        if name not in OPTIONS:
            continue
        types = schema.get("type")
        types = set(types) if isinstance(types, list) else {types}
        if schema.get("enum"):
            shape = "select"
        elif types == {"boolean"}:
            shape = "check"
        elif types == {"integer"} or ("number" in types and cls.is_numeric):
            shape = "number"
        else:
            shape = "text"
        found[name] = {
            "label": OPTIONS[name],
            "input": shape,
            "whole": types == {"integer"},
            "values": schema.get("enum", ()),
        }
    return found


def choices_of(typed: str, faults: dict[str, str]) -> list[Any]:
    """One choice a line, as `Label` or `key: Label`; colours and the like are for the editor."""
    found: list[Any] = []
    keys: set[str] = set()
    for line in typed.splitlines():
        name, _colon, label = line.partition(":") if ":" in line else ("", "", line)
        label = " ".join(label.split())
        key = key_of(name.strip() or label)
        if not label and not name.strip():
            continue
        if not key or key in keys:
            faults["choices"] = _("“%(line)s” is there twice, or has no letters.", line=line.strip())
            continue
        keys.add(key)
        found.append({key: label or key})
    if not found:
        faults["choices"] = _("Give the choices, one on each line.")
    return found


def _place(given: MultiDict[str, str], entity: Entity) -> dict[str, str]:
    where = given.get("place", "")
    section, _slash, after = where.partition("/")
    known = {s.key for s in entity.form.sections} if entity.form is not None else set()
    place = {"section": section} if section in known else {}
    if after in entity.fields and place:
        place["after"] = after
    return place
