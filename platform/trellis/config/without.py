"""What `without:` leaves out takes along what earlier layers say about it: nobody could mend that in their files.

What asks for a lost field inside a formula is not found here, where nobody reads formulas: `lost` tells the model which
fields went, and reports that cannot be compiled for it go there (model/compile/reports).
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from trellis.config.layer import Document
from trellis.config.merge import item_key
from trellis.config.naming import widget_words
from trellis.config.reader import Data
from trellis.config.source import Place

Documents = dict[str, dict[str, Document]]
Wanted = Callable[[str, Data], bool]
Lost = dict[str, set[str]]  # by entity, the fields that went
_LINKS = ("link", "links", "any_link")
_SHOWN = ("form", "forms", "views", "quick_create", "page", "unique", "indexes", "dedupe")


def leave_out(documents: Documents, kind: str, key: str, lost: Lost | None = None) -> bool:
    """Take a document out, and with it links to it, its place in menus, grants; False when there is none.

    `lost` is told which fields of other entities went with it.
    """
    if documents.get(kind, {}).pop(key, None) is None:
        return False
    _from_menus(documents, kind, key)
    if kind == "entity":
        _from_entities(documents, key, {} if lost is None else lost)
        _from_roles(documents, key)
        _about(documents, key)
    return True


def _from_entities(documents: Documents, gone: str, told: Lost) -> None:
    entities = documents.get("entity", {})
    for part in [k for k, d in entities.items() if d.data.get("part_of") == gone]:
        leave_out(documents, "entity", part, told)
    for key, document in list(entities.items()):
        fields = document.data.get("fields")
        lost = {
            name
            for name, field in (fields.items() if isinstance(fields, dict) else ())
            if isinstance(field, dict) and field.get("type") in _LINKS and _targets(field) == [gone]
        }
        data, place = _filtered(document.data, document.place, ("fields",), _no_key_of(lost))
        data, place = _narrowed(data, place, gone)
        if lost:
            data, place = _unshown(data, place, lost)
            _unasked(documents, key, lost)
            _unlisted(documents, key, lost)
            told.setdefault(key, set()).update(lost)
        entities[key] = _with(document, data, place)


def _no_key_of(names: set[str]) -> Wanted:
    return lambda key, _: key not in names


def _targets(field: dict[str, Data]) -> list[Data]:
    to = field.get("to")
    return to if isinstance(to, list) else [to]


def _narrowed(data: Data, place: Place, gone: str) -> tuple[Data, Place]:
    """Links to several entities lose this one."""
    fields = data.get("fields") if isinstance(data, dict) else None
    for name, field in list(fields.items()) if isinstance(fields, dict) else ():
        if isinstance(field, dict) and isinstance(field.get("to"), list):
            data, place = _filtered(data, place, ("fields", name, "to"), lambda _, v: v != gone)
    return data, place


def _unshown(data: Data, place: Place, lost: Collection[str]) -> tuple[Data, Place]:
    """Forms, views and pages without the fields that are gone."""
    assert isinstance(data, dict)
    for word in _SHOWN:
        if word in data:
            data, place = _everywhere(data, place, (word,), _no_item_of(lost))
            assert isinstance(data, dict)
    return data, place


def _unasked(documents: Documents, entity: str, lost: Collection[str]) -> None:
    """Stages that neither require nor ask for the fields that are gone."""
    for key, document in documents.get("pipeline", {}).items():
        if document.data.get("entity") == entity:
            data, place = _everywhere(
                document.data, document.place, ("stages",), lambda _, v: (item_key(v) or "") not in lost
            )
            documents["pipeline"][key] = _with(document, data, place)


def _unlisted(documents: Documents, entity: str, lost: Collection[str]) -> None:
    """Widgets that list records of the entity, without the columns that are gone."""
    words = widget_words("entity")
    for key, document in documents.get("dashboard", {}).items():
        data, place = document.data, document.place
        widgets = data.get("widgets")
        for name, widget in list(widgets.items()) if isinstance(widgets, dict) else ():
            if isinstance(widget, dict) and any(str(widget.get(w, "")).partition(".")[0] == entity for w in words):
                data, place = _everywhere(data, place, ("widgets", name), _no_item_of(lost))
        documents["dashboard"][key] = _with(document, data, place)


def _no_item_of(names: Collection[str]) -> Wanted:
    return lambda _, value: (item_key(value) or "").removeprefix("-").partition(".")[0] not in names


def _everywhere(data: Data, place: Place, path: tuple[str, ...], keep: Wanted) -> tuple[Data, Place]:
    """Filter every list below a path."""
    at = _at(data, path)
    if isinstance(at, list):
        return _filtered(data, place, path, keep)
    for key in list(at) if isinstance(at, dict) else ():
        data, place = _everywhere(data, place, (*path, key), keep)
    return data, place


def _from_roles(documents: Documents, gone: str) -> None:
    for key, document in documents.get("role", {}).items():
        data, place = _filtered(document.data, document.place, ("grants",), lambda k, _: k != gone)
        documents["role"][key] = _with(document, data, place)


def _from_menus(documents: Documents, kind: str, gone: str) -> None:
    def stays(_: str, item: Data) -> bool:
        if isinstance(item, dict):
            return str(item.get(kind, "")).partition(".")[0] != gone
        return kind != "entity" or str(item).partition(".")[0] != gone

    for key, document in documents.get("menu", {}).items():
        data, place = _everywhere(document.data, document.place, ("groups",), stays)
        documents["menu"][key] = _with(document, data, place)
    for key, document in documents.get("dashboard", {}).items():
        data, place = _from_widgets(document.data, document.place, widget_words(kind), gone)
        documents["dashboard"][key] = _with(document, data, place)


def _from_widgets(data: Data, place: Place, words: Collection[str], gone: str) -> tuple[Data, Place]:
    """Widgets without those that show what is gone; one that tells of several tells of the others."""

    def names(value: Data) -> bool:
        return isinstance(value, str) and value.partition(".")[0] == gone

    def shown(_: str, widget: Data) -> bool:
        given = [widget[word] for word in words if word in widget] if isinstance(widget, dict) else []
        return not any(names(v) or (isinstance(v, list) and v and all(names(each) for each in v)) for v in given)

    data, place = _filtered(data, place, ("widgets",), shown)
    widgets = _at(data, ("widgets",))
    for key, widget in list(widgets.items()) if isinstance(widgets, dict) else ():
        for word in words:
            if isinstance(widget, dict) and isinstance(widget.get(word), list):
                data, place = _filtered(data, place, ("widgets", key, word), lambda _, value: not names(value))
    return data, place


def _about(documents: Documents, gone: str) -> None:
    """Pipelines, reports, service levels of an entity that is gone go with it."""
    for kind in [k for k in documents if k != "entity"]:
        for key, document in list(documents[kind].items()):
            if document.data.get("entity") == gone or (kind == "convert" and key == gone):
                leave_out(documents, kind, key)


def _with(document: Document, data: Data, place: Place) -> Document:
    assert isinstance(data, dict)
    return document if data is document.data else Document(document.kind, document.key, data, place, document.layer)


def _at(data: Data, path: tuple[str, ...]) -> Data:
    for key in path:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _filtered(data: Data, place: Place, path: tuple[str, ...], keep: Wanted) -> tuple[Data, Place]:
    """The data with fewer entries in the mapping or list at a path; itself where all stay."""
    if path:
        if not isinstance(data, dict) or path[0] not in data:
            return data, place
        inner, where = _filtered(data[path[0]], place.children[path[0]], path[1:], keep)
        if inner is data[path[0]]:
            return data, place
        return {**data, path[0]: inner}, place.holding({**place.children, path[0]: where})
    if isinstance(data, dict):
        kept = {k: v for k, v in data.items() if keep(k, v)}
        if len(kept) == len(data):
            return data, place
        return kept, place.holding({k: place.children[k] for k in kept})
    if isinstance(data, list):
        indexes = [i for i, v in enumerate(data) if keep("", v)]
        if len(indexes) == len(data):
            return data, place
        children: dict[str | int, Place] = {new: place.children[old] for new, old in enumerate(indexes)}
        return [data[i] for i in indexes], place.holding(children)
    return data, place
