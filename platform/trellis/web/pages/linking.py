"""Linking and unlinking from a related list: what a link keeps, what it cannot be without, and the way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from flask import Response, jsonify, render_template, request, url_for
from flask_babel import gettext as _

from trellis.formula.types import Ref
from trellis.records.refusal import Fault, Forbidden, Refused
from trellis.web.faults import fault_text
from trellis.web.pages.form import faults_json, label_of, submitted
from trellis.web.widgets import widget_of
from trellis.web.widgets.base import UNCHANGED
from trellis.web.widgets.bound import BoundField

if TYPE_CHECKING:
    from trellis.records.record import Record
    from trellis.records.store import Store
    from trellis.web.pages.related import RelatedList


def join(store: Store, found: RelatedList, record: Record, ref: Ref) -> Response:
    """Join a record to a list; what the link cannot be without is asked for."""
    if found.many is None:
        return _point(store, found, record, ref)
    owner, field, source, far = _ends(store, found, record, ref)
    columns = found.link_columns
    asked = [key for key, column in columns.items() if column.required]
    if asked and not any(key in request.form for key in asked):
        return _ask(store, found, record, ref, {}, ())
    sent = submitted()
    given = {key: widget_of(column).read(sent, column) for key, column in columns.items() if key in request.form}
    try:
        store.link(owner, source.id, field, far, {k: None if v is UNCHANGED else v for k, v in given.items()})
    except Refused as refused:
        return _ask(store, found, record, ref, given, refused.faults) if given else _refused(store, refused)
    return jsonify({"toast": _("Linked")})


def part(store: Store, found: RelatedList, record: Record, ref: Ref) -> Response:
    """Take a record out of a list; the record itself stays."""
    if found.many is None:
        return _leave(store, found, record, ref)
    owner, field, source, far = _ends(store, found, record, ref)
    kept = found.values(store, record.ref, [ref.id]).get(ref.id, {})
    try:
        store.unlink(owner, source.id, field, far)
    except Refused as refused:
        return _refused(store, refused)
    is_whole = all(value is None for value in kept.values())  # what the link kept would not come back
    return jsonify({"toast": _("Unlinked"), "undo": _back(record, found, ref) if is_whole else None})


def _ends(store: Store, found: RelatedList, record: Record, ref: Ref) -> tuple[str, str, Ref, Ref]:
    """The many-to-many of a list, and its two ends; Forbidden where this side may not be changed."""
    if not store.may("update", record.entity, record):
        raise Forbidden(record.entity, "update")
    assert found.many is not None
    source, far = (record.ref, ref) if found.from_owner else (ref, record.ref)
    return *found.many, source, far


def may_point(store: Store, found: RelatedList) -> bool:
    """Whether records that are there may be linked into a list of plain links: they are what is changed."""
    return (
        found.many is None
        and not found.is_part
        and store.may("update", found.target.key)
        and found.link in store.writable_fields(found.target.key)
    )


def may_leave(store: Store, found: RelatedList) -> bool:
    """Whether a list of plain links may lose a record: its link may then be blank."""
    return may_point(store, found) and not found.target.fields[found.link].required


def _point(store: Store, found: RelatedList, record: Record, ref: Ref) -> Response:
    """Let another record's link point here; says where it pointed before."""
    if not may_point(store, found):
        raise Forbidden(found.target.key, "update")
    try:
        before = store.read(ref.entity, ref.id, fields=[found.link])[found.link]
        store.update(ref.entity, ref.id, {found.link: record.ref})
    except Refused as refused:
        return _refused(store, refused)
    if isinstance(before, Ref) and before.title and before.id != record.id:
        return jsonify({"toast": _("Linked. Before, it was linked with %(title)s.", title=before.title)})
    return jsonify({"toast": _("Linked")})


def _leave(store: Store, found: RelatedList, record: Record, ref: Ref) -> Response:
    """Blank the link by which another record points here."""
    if not may_leave(store, found):
        raise Forbidden(found.target.key, "update")
    try:
        before = store.read(ref.entity, ref.id, fields=[found.link])[found.link]
        if isinstance(before, Ref) and before.id == record.id:
            store.update(ref.entity, ref.id, {found.link: None})
    except Refused as refused:
        return _refused(store, refused)
    return jsonify({"toast": _("Unlinked"), "undo": _back(record, found, ref)})


def _ask(
    store: Store,
    found: RelatedList,
    record: Record,
    ref: Ref,
    given: Mapping[str, Any],
    faults: Sequence[Fault],
) -> Response:
    """The dialog that asks for what a link cannot be without."""
    language = store.principal.reader.language
    wrong = {c: [fault_text(f, language) for f in faults if f.field == c] for c in found.link_columns}
    fields = [
        BoundField(
            store,
            found.target,
            column,
            given.get(key),
            typed=key in given,
            errors=wrong[key],
            required=column.required,
            span="full",
        )
        for key, column in found.link_columns.items()
    ]
    title = store.read(ref.entity, ref.id, fields=()).title
    html = render_template(
        "_link_dialog.html",
        action=url_for("RelatedView.link", entity=record.entity, id=record.id, name=found.name),
        target=ref.id,
        entity=found.target,
        title=_("Link “%(title)s”", title=title or label_of(found.target, store)),
        fields=fields,
        rest=[fault_text(f, language) for f in faults if f.field not in found.link_columns],
    )
    return Response(html, status=422)


def _refused(store: Store, refused: Refused) -> Response:
    response = jsonify(faults_json(refused.faults, store.principal.reader.language))
    response.status_code = 422
    return response


def _back(record: Record, found: RelatedList, ref: Ref) -> dict[str, Any]:
    """How a record that was taken out of a list comes back into it."""
    address = url_for("RelatedView.link", entity=record.entity, id=record.id, name=found.name)
    return {"url": address, "values": {"target": str(ref.id)}}
