"""Looking back: the record page as the record was at a past moment, with what is different today."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

from babel.dates import format_datetime
from flask import jsonify, redirect, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup

from trellis.formula.types import Value
from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.model.locales import babel_locale
from trellis.records.record import Change, Record
from trellis.records.refusal import Fault, Refused
from trellis.records.store import Store
from trellis.records.versions.past import PastRecord
from trellis.web.cells.registry import CellContext
from trellis.web.context import current_store
from trellis.web.faults import fault_text
from trellis.web.flashes import toast
from trellis.web.guard import signed_in
from trellis.web.navigation import entity_address
from trellis.web.pages.base import Page
from trellis.web.pages.form import entity_or_404, faults_json, wants_json
from trellis.web.pages.past_tables import BLANKS, Table, drawn, is_closed, is_same, link_tables, part_tables
from trellis.web.widgets.form import form_of

MOST_MOMENTS = 300
QUIET = ("update", "updated")  # kinds that say nothing but which fields changed


@dataclass(frozen=True)
class Moment:
    """A tick of the slider: when the record became what it was then."""

    at: datetime
    text: str
    who: str

    @property
    def key(self) -> str:
        """The moment in an address."""
        return self.at.astimezone(UTC).isoformat()


@dataclass(frozen=True)
class Line:
    """A field as it was, beside what it is."""

    key: str
    label: str
    html: Markup
    today: Markup | None = None  # where it differs
    is_unknown: bool = False
    may_restore: bool = False


@dataclass(frozen=True)
class PastPage:
    """The record as it was at one of its moments."""

    record: PastRecord
    moments: list[Moment]
    index: int
    sections: list[tuple[str, list[Line]]]
    tables: list[Table]
    version: int

    @property
    def moment(self) -> Moment:
        """The moment that is shown."""
        return self.moments[self.index]

    @property
    def before(self) -> Moment | None:
        """The moment before it."""
        return self.moments[self.index - 1] if self.index else None

    @property
    def after(self) -> Moment | None:
        """The moment after it."""
        return self.moments[self.index + 1] if self.index + 1 < len(self.moments) else None

    @property
    def different(self) -> list[Line]:
        """The fields that are others today."""
        return [line for _label, lines in self.sections for line in lines if line.today is not None]

    @property
    def restorable(self) -> list[Line]:
        """Those of them that this person may give their old values."""
        return [line for line in self.different if line.may_restore]

    @property
    def lists(self) -> list[Table]:
        """The lists of parts that this person may give their old rows."""
        return [table for table in self.tables if table.differs and table.may_restore]


def past_page(store: Store, entity: Entity, record: Record, wanted: str) -> PastPage | None:
    """The page of the moment that an address names, else of the last one; None for a record without a past."""
    moments = _moments(store, entity, record)
    if not moments:
        return None
    at = _moment(wanted)
    index = max(
        (n for n, m in enumerate(moments) if at is not None and m.at <= at), default=0 if at else len(moments) - 1
    )
    past = store.read(entity.key, record.id, as_of=moments[index].at)
    assert isinstance(past, PastRecord)
    return PastPage(
        past,
        moments,
        index,
        _sections(store, entity, record, past),
        [*part_tables(store, entity, record, past), *link_tables(store, entity, record, past)],
        record.version,
    )


def _moments(store: Store, entity: Entity, record: Record) -> list[Moment]:
    """When something changed that this person may see, the oldest first; changes of one moment are one."""
    readable = set(store.readable_fields(entity.key))
    language, zone = store.principal.reader.language, store.principal.reader.time_zone
    found: dict[datetime, Moment] = {}
    for change in store.history(entity.key, record.id, MOST_MOMENTS):
        if change.kind in QUIET and not any(_is_told(entity, readable, c.field) for c in change.changes):
            continue
        said = str(format_datetime(change.at, "medium", tzinfo=zone, locale=babel_locale(language)))
        found.setdefault(change.at, Moment(change.at, said, _who(change)))
    return sorted(found.values(), key=lambda m: m.at)


def _is_told(entity: Entity, readable: set[str], path: str) -> bool:
    head = path.partition(".")[0]
    return head in readable or head in entity.inverses


def _who(change: Change) -> str:
    return change.by_name or str(_("Trellis"))


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def _sections(store: Store, entity: Entity, record: Record, past: PastRecord) -> list[tuple[str, list[Line]]]:
    """The highlights and the form's sections, without what is blank then and now."""
    language = store.principal.reader.language
    context = CellContext(store.principal.reader, store.tenant.model, entity, entity_address)
    writable = set(store.writable_fields(entity.key)) if store.may("update", entity.key, record) else set()
    readable = store.readable_fields(entity.key)
    seen: set[str] = set()

    def lines(keys: Sequence[str]) -> Iterator[Line]:
        for key in keys:
            field = entity.fields.get(key)
            if field is None or key in seen or key not in readable or key not in past or key in past.kept:
                continue
            seen.add(key)
            then, now = past[key], record.get(key)
            if then in BLANKS and now in BLANKS and key not in past.unknown:
                continue
            yield _line(field, context, then, now, key in past.unknown, key in writable and not is_closed(field))

    stages = [p.field for p in entity.pipelines.values()]
    found = [("", list(lines([entity.title_field or "", *stages, *entity.highlights])))]
    for section in form_of(entity, store.principal.roles).sections:
        found.append((section.label.in_language(language), list(lines([p.field for p in section.fields]))))
    others = [f.key for f in entity.fields.values() if not f.system and "form" not in f.hidden]
    found.append((str(_("Other")), list(lines(others))))
    return [(label, listed) for label, listed in found if listed]


def _line(field: Field, context: CellContext, then: Value, now: Value, is_unknown: bool, may_restore: bool) -> Line:
    label = field.label.in_language(context.reader.language)
    if is_unknown:
        return Line(field.key, label, Markup(), is_unknown=True)
    differs = not is_same(field, then, now)
    today = drawn(field, context, now) if differs else None
    return Line(field.key, label, drawn(field, context, then), today, may_restore=differs and may_restore)


class PastView(Page):
    """`/e/<entity>/<id>/past`: the pane of the record page, and giving old values back."""

    @expose("/e/<entity>/<uuid:id>/past")  # type: ignore[untyped-decorator]
    @signed_in
    def pane(self, entity: str, id: UUID) -> Any:
        """The record as it was at `?at=`."""
        store = current_store()
        definition = entity_or_404(store, entity)
        wanted = request.args.get("at", "")
        if not wants_json():
            return redirect(url_for("RecordView.show", entity=entity, id=id, at=wanted))
        with store.transaction():
            record = store.read(entity, id, deleted=True)
            past = past_page(store, definition, record, wanted)
        return self.draw("_past.html", entity=definition, record=record, past=past)

    @expose("/e/<entity>/<uuid:id>/past/restore", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def restore(self, entity: str, id: UUID) -> Any:
        """Gives fields the values that they had: an ordinary update, with every rule."""
        store = current_store()
        definition = entity_or_404(store, entity)
        at = _moment(request.form.get("at", "")) or datetime.now(UTC) + timedelta(days=1)
        names = [n for n in request.form.getlist("field") if n in definition.fields or n in definition.inverses]
        language = store.principal.reader.language
        location = entity_address(entity, id)
        try:
            count = store.give_back(entity, id, at, names, version=request.form.get("version", type=int))
        except Refused as refused:
            if wants_json():
                response = jsonify(faults_json(refused.faults, language))
                response.status_code = 422
                return response
            toast(" ".join(_told(definition, f, language) for f in refused.faults), kind="error")
            return redirect(f"{location}?at={quote(at.isoformat())}", 303)
        toast(ngettext("%(num)d value is as it was", "%(num)d values are as they were", count))
        return jsonify({"location": location}) if wants_json() else redirect(location, 303)


def _told(entity: Entity, fault: Fault, language: str) -> str:
    field = entity.fields.get(fault.field or "")
    text = fault_text(fault, language)
    return f"{field.label.in_language(language)}: {text}" if field is not None else text
