"""What `without:` leaves out takes along what earlier layers say about it: nobody could mend that in their files."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from trellis.config.layer import Document
from trellis.config.merge import item_key
from trellis.config.reader import Data
from trellis.config.source import Place

Documents = dict[str, dict[str, Document]]
Wanted = Callable[[str, Data], bool]
_LINKS = ("link", "links", "any_link")
_TOLD = frozenset({"report", "label", "description", "help"})  # what people read of a report
_SHOWN = ("form", "forms", "views", "quick_create", "page", "unique", "indexes", "dedupe")


def leave_out(documents: Documents, kind: str, key: str) -> bool:
    """Take a document out, and with it links to it, its place in menus, grants; False when there is none."""
    if documents.get(kind, {}).pop(key, None) is None:
        return False
    _from_menus(documents, kind, key)
    if kind == "entity":
        _from_entities(documents, key)
        _from_roles(documents, key)
        _about(documents, key)
    return True


def _from_entities(documents: Documents, gone: str) -> None:
    entities = documents.get("entity", {})
    for part in [k for k, d in entities.items() if d.data.get("part_of") == gone]:
        leave_out(documents, "entity", part)
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
            _unreported(documents, key, lost)
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


def _unshown(data: Data, place: Place, lost: Iterable[str]) -> tuple[Data, Place]:
    """Forms, views and pages without the fields that are gone."""

    def shows(_: str, value: Data) -> bool:
        name = item_key(value) or ""
        return name.removeprefix("-").partition(".")[0] not in lost

    assert isinstance(data, dict)
    for word in _SHOWN:
        if word in data:
            data, place = _everywhere(data, place, (word,), shows)
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


def _unreported(documents: Documents, entity: str, lost: Iterable[str]) -> None:
    """Reports that ask for the fields that are gone go with them."""
    names = re.compile(rf"(?<![\w\"'.-])(?:{'|'.join(sorted(lost))})\b")
    for key, document in list(documents.get("report", {}).items()):
        asked = {word: value for word, value in document.data.items() if word not in _TOLD}
        if document.data.get("entity") == entity and any(names.search(text) for text in _texts(asked)):
            leave_out(documents, "report", key)


def _texts(data: Data) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    for inner in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        yield from _texts(inner)


def _everywhere(data: Data, place: Place, path: tuple[str, ...], keep: Wanted) -> tuple[Data, Place]:
    """Filter every list below a path."""
    at = _at(data, path)
    if isinstance(at, list):
        return _filtered(data, place, path, keep)
    for key in list(at) if isinstance(at, dict) else ():
        data, place = _everywhere(data, place, (*path, key), keep)
    return data, place


_WIDGETS: Mapping[str, tuple[str, ...]] = {
    "entity": ("list", "calendar"),
    "report": ("number", "chart", "table", "funnel", "gauge", "leaders"),
}


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

        def shown(_: str, widget: Data) -> bool:
            words = _WIDGETS.get(kind, ())
            return not isinstance(widget, dict) or all(str(widget.get(w, "")).partition(".")[0] != gone for w in words)

        data, place = _filtered(document.data, document.place, ("widgets",), shown)
        if kind == "entity":  # a feed tells of several entities
            data, place = _everywhere(data, place, ("widgets",), lambda _, v: v != gone)
        documents["dashboard"][key] = _with(document, data, place)


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
