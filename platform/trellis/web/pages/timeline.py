"""The timeline: a record's changes and everything that is about it, day by day, with a composer on top."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from babel.dates import format_date, format_skeleton, format_time
from flask import Response, abort, jsonify, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _
from markupsafe import Markup

from trellis.automation.mail import kept, tracing
from trellis.automation.messages import kept as messages
from trellis.formula.types import Ref, Value
from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.model.locales import babel_locale
from trellis.model.markup import render_markdown
from trellis.model.view import Sort
from trellis.records.reading.pointing import pointing_at
from trellis.records.record import Change, Record
from trellis.records.refusal import Forbidden, Missing, Refused
from trellis.records.store import Store
from trellis.web.cells.markup import color_of, dash
from trellis.web.cells.registry import CellContext, renderer
from trellis.web.context import current_store
from trellis.web.guard import signed_in
from trellis.web.navigation import entity_address
from trellis.web.pages.activities import Activity, activity_links
from trellis.web.pages.base import Page
from trellis.web.pages.form import entity_or_404, label_of, submitted
from trellis.web.pages.timeline_letters import read_badges, written_by
from trellis.web.pages.timeline_lines import CAME, STAYED, WENT, LineChange, line_changes, titles_of
from trellis.web.pool_words import pool_words
from trellis.web.service_levels import STRUCK, struck_verb
from trellis.web.widgets.bound import BoundField, draw
from trellis.web.widgets.form import BoundForm, quick_form_of, read_form

PER_KIND = 20
CHANGES = 30
SENT = (kept.ENTITY, messages.ENTITY)  # what goes out and comes in is kept by what does that, not written here
WRITER = ("direction", "sender", "number")
LINKING = ("link", "unlink")  # entries that say nothing without what was linked


@dataclass(frozen=True)
class Detail:
    """One field that changed: from, to."""

    label: Any
    old: Markup
    new: Markup
    is_long: bool = False
    is_gone: bool = False


@dataclass(frozen=True)
class LineDetail:
    """A line that came, went or changed."""

    label: Any
    title: str
    icon: str
    verb: str
    details: tuple[Detail, ...] = ()


@dataclass(frozen=True)
class Item:
    """One entry of the timeline."""

    kind: str  # "change", or the activity's entity
    at: datetime
    icon: str
    color: str
    who: str
    verb: str
    title: str = ""
    address: str = ""
    label: Any = ""
    badges: tuple[Markup, ...] = ()
    note: Markup | None = None
    files: Markup | None = None
    details: tuple[Detail, ...] = ()
    lines: tuple[LineDetail, ...] = ()
    when: str = ""
    undo: str = ""  # where to take it back, while that can be done
    is_linking: bool = False  # one side of each detail is blank, and goes without saying


@dataclass(frozen=True)
class Day:
    """The entries of a day."""

    label: str
    items: list[Item]
    is_coming: bool = False


class Teller:
    """Makes entries out of changes and activities, for one reader."""

    def __init__(self, store: Store, entity: Entity) -> None:
        self.store = store
        self.entity = entity
        self.reader = store.principal.reader
        self.locale = babel_locale(self.reader.language)
        self.read: Mapping[UUID, tracing.Seen] = {}  # what is known of letters that went out

    def know(self, rows: Sequence[Record]) -> None:
        """Look up which letters were opened, if this person may see it."""
        if rows and rows[0].entity == kept.ENTITY and "opens" in self.store.readable_fields(kept.ENTITY):
            with self.store.transaction() as connection:
                self.read = tracing.seen(connection, self.store.tenant, [row.id for row in rows])

    def changes(self, record: UUID, changes: Sequence[Change], fields: Sequence[str] = ()) -> Iterator[Item]:
        """The changes that are shown: of the fields that the timeline names, else of all that may be seen.

        Those of records that were merged into this one are among them.
        """
        context = CellContext(self.reader, self.store.tenant.model, self.entity, entity_address)
        readable = set(self.store.readable_fields(self.entity.key))
        for change in changes:
            details = tuple(
                self._detail(context, self.entity.fields[c.field], c.old, c.new)
                for c in change.changes
                if c.field in readable and (not fields or c.field in fields or change.kind in LINKING)
            )
            lines = self._lines(context, line_changes(self.store, self.entity, change, fields))
            pooled = self._pool_verb(change)
            if change.kind in ("update", "updated", *LINKING) and not (details or lines or pooled):
                continue
            if change.kind in STRUCK and not change.changes:
                continue  # the state is hidden from this person
            icon, verb = (
                pooled
                or self._merge_verb(change)
                or self._share_verb(change)
                or struck_verb(self.store.tenant.model, change, self.reader.language)
                or self._verb(change.kind)
            )
            if change.kind in ("create", "created", *STRUCK):
                details = lines = ()
                if change.record not in (None, record):
                    verb = str(_("created what was merged into this"))
            yield Item(
                "change",
                change.at,
                icon,
                "",
                change.by_name or _("Trellis"),
                verb,
                details=details,
                lines=lines,
                when=self.clock(change.at),
                undo=self._undo_address(change),
                is_linking=change.kind in LINKING,
            )

    def _lines(self, context: CellContext, changes: Sequence[LineChange]) -> tuple[LineDetail, ...]:
        """What happened to lines, with what they are called."""
        titles = titles_of(self.store, changes)
        words = {CAME: ("plus", _("added")), WENT: ("minus", _("removed")), STAYED: ("pencil", "")}
        return tuple(
            LineDetail(
                line.entity.label,
                line.title or titles.get((line.entity.key, line.id), ""),
                *words[line.became],
                ()
                if line.became == CAME
                else tuple(self._detail(context, line.columns[f.field], f.old, f.new) for f in line.fields),
            )
            for line in changes
        )

    def _undo_address(self, change: Change) -> str:
        """Where a merge is undone, by somebody who may, while there is time."""
        if change.kind != "merge" or change.record is None or not self.store.may_merge(self.entity.key):
            return ""
        try:
            merges = self.store.merges(self.entity.key, change.record)
        except Missing:  # the entry of a record that was merged itself since
            return ""
        found = next((m for m in merges if m.at == change.at and m.until > self.reader.now), None)
        if found is None:
            return ""
        return url_for("MergeView.undo", entity=self.entity.key, id=change.record, merge=found.id)

    def _merge_verb(self, change: Change) -> tuple[str, str] | None:
        """What a merge or its undoing is told as, with the titles that this person may know."""
        texts = {
            "merge": lambda names: _("merged %(titles)s into this", titles=names),
            "unmerge": lambda names: _("undid the merge with %(titles)s", titles=names),
            "merged": lambda names: _("merged this into %(titles)s", titles=names),
            "unmerged": lambda names: _("took this out of %(titles)s again", titles=names),
        }
        if change.kind not in texts:
            return None
        refs = next((c.new or c.old for c in change.changes if c.field in ("merged", "merged_into")), None) or ()
        names = ", ".join(f"“{ref.title}”" if ref.title else _("a record that you may not see") for ref in refs)
        return ("arrows-join" if change.kind.startswith("merge") else "arrows-split"), texts[change.kind](names)

    def _pool_verb(self, change: Change) -> tuple[str, str] | None:
        """What a claim, a return or a lock is told as."""
        cause = change.cause
        if not isinstance(cause, Mapping) or "pool" not in cause:
            return None
        act, reason = str(cause.get("act", "")), str(cause.get("reason", ""))
        return pool_words(self.store, str(cause["pool"]), act, reason, self.reader.language)

    def _share_verb(self, change: Change) -> tuple[str, str] | None:
        """What a share or its end is told as."""
        if change.kind not in ("share", "unshare"):
            return None
        told = next((c.new or c.old for c in change.changes if c.field == "shared"), None)
        if not isinstance(told, Mapping):
            return None
        whom = told.get("whom") or {}
        name = whom.get("title") or _("somebody")
        if change.kind == "unshare":
            return "user-minus", str(_("ended the share with %(name)s", name=name))
        until = told.get("until")
        what = _("for changing") if told.get("level") == "write" else _("for reading")
        if not until:
            return "users-plus", str(_("shared this with %(name)s %(what)s", name=name, what=what))
        day = format_date(date.fromisoformat(str(until)), "medium", locale=self.locale)
        return "users-plus", str(_("shared this with %(name)s %(what)s, until %(day)s", name=name, what=what, day=day))

    def _verb(self, kind: str) -> tuple[str, str]:
        words = {
            "create": ("plus", _("created this")),
            "delete": ("trash", _("moved this to the recycle bin")),
            "restore": ("restore", _("restored this")),
            "convert": ("arrows-split-2", _("converted this")),
            "purge": ("trash-x", _("deleted this for good")),
            "erase": ("eraser", _("erased the personal data")),
            "link": ("link", _("linked")),
            "unlink": ("unlink", _("unlinked")),
        }
        return words.get(
            kind.removesuffix("d") if kind not in words else kind, words.get(kind, ("arrows-exchange", _("changed")))
        )

    def _detail(self, context: CellContext, field: Field, old: Value, new: Value) -> Detail:
        draw = renderer(field, context)

        def show(value: Value) -> Markup:
            if value is None or value in ("", ()):
                return dash()
            try:
                return Markup(draw(value))
            except (AttributeError, TypeError, ValueError, KeyError):
                return Markup("<bdi>{}</bdi>").format(str(value))

        is_long = field.type.name in ("long_text", "rich_text", "code", "json")
        return Detail(field.label, show(old), show(new), is_long, is_gone=new is None or new in ("", ()))

    def activity(self, activity: Activity, record: Record) -> Item:
        """A record that is about this one."""
        entity = activity.entity
        at = self._moment(record.get(activity.at)) or record["created_at"]
        context = CellContext(self.reader, self.store.tenant.model, entity, entity_address)
        owner = record.get(entity.owner_field or "")
        badges = tuple(
            Markup(renderer(entity.fields[key], context)(record[key]))
            for key in self._badge_fields(entity)
            if record.get(key) is not None
        )
        if record.id in self.read:
            badges += tuple(read_badges(self.read[record.id]))
        text = record.get(activity.text) if activity.text else None
        is_note = bool(text) and record.title.strip(" …") in str(text)
        return Item(
            entity.key,
            at,
            entity.icon,
            f"c-{entity.color or color_of(entity.key)}",
            (owner.title or "" if isinstance(owner, Ref) else "") or written_by(record),
            "",
            title="" if is_note else record.title,
            address=entity_address(entity.key, record.id),
            label=entity.label,
            badges=badges,
            note=Markup(render_markdown(str(text))) if text else None,
            files=self._files(activity, record),
            when=self.clock(at) if not self._is_day(record.get(activity.at)) else "",
        )

    def _files(self, activity: Activity, record: Record) -> Markup | None:
        held = record.get(activity.files) if activity.files else None
        if not held:
            return None
        field = activity.entity.fields[activity.files]
        return draw("_files.html", entity=activity.entity, record=record, field=field, files=held)

    def columns(self, activity: Activity) -> list[str]:
        """What is read of an activity."""
        entity = activity.entity
        readable = set(self.store.readable_fields(entity.key))
        wanted = [
            activity.at,
            "created_at",
            activity.text,
            activity.files,
            entity.owner_field or "",
            *self._badge_fields(entity),
            *(WRITER if entity.key in SENT else ()),
        ]
        return [c for c in dict.fromkeys(wanted) if c and c in readable]

    def _badge_fields(self, entity: Entity) -> list[str]:
        readable = set(self.store.readable_fields(entity.key))
        return [k for k in entity.highlights if k in readable and entity.fields[k].type.name == "choice"][:2]

    def _is_day(self, value: Value) -> bool:
        return isinstance(value, date) and not isinstance(value, datetime)

    def _moment(self, value: Value) -> datetime | None:
        if isinstance(value, datetime):
            return value
        if isinstance(value, date):
            return datetime.combine(value, time(), self.reader.time_zone).astimezone(UTC)
        return None

    def clock(self, at: datetime) -> str:
        """The time of day."""
        return str(format_time(at.astimezone(self.reader.time_zone), "short", locale=self.locale))

    def days(self, items: list[Item]) -> list[Day]:
        """The entries by day, what is to come first, the newest day next."""
        today = self.reader.today()
        coming = sorted((i for i in items if self._day(i) > today), key=lambda i: i.at)
        past = sorted((i for i in items if self._day(i) <= today), key=lambda i: i.at, reverse=True)
        days: list[Day] = [Day(_("Upcoming"), coming, True)] if coming else []
        for item in past:
            label = self.day_text(self._day(item), today)
            if not days or days[-1].label != label:
                days.append(Day(label, []))
            days[-1].items.append(item)
        return days

    def _day(self, item: Item) -> date:
        return item.at.astimezone(self.reader.time_zone).date()

    def day_text(self, day: date, today: date) -> str:
        """Today, Yesterday, Friday, November 6; November 6, 2025."""
        if day == today:
            return str(_("Today"))
        if day == today - timedelta(days=1):
            return str(_("Yesterday"))
        if day.year == today.year and self.locale.language == "en":
            return str(format_date(day, "EEEE, MMMM d", locale=self.locale))
        return str(format_date(day, "long", locale=self.locale))

    def short_day(self, item: Item) -> str:
        """The day of something to come: Tomorrow, Mon 24 Nov."""
        day = self._day(item)
        if day == self.reader.today() + timedelta(days=1):
            return str(_("Tomorrow"))
        return str(format_skeleton("MMMEd", datetime.combine(day, time()), locale=self.locale))

    def exact(self, item: Item) -> str:
        """Day and time, for a tooltip."""
        local = item.at.astimezone(self.reader.time_zone)
        return f"{format_date(local.date(), 'full', locale=self.locale)}, {self.clock(item.at)}"


class TimelineView(Page):
    """`/e/<entity>/<id>/timeline`, the composer's forms, and the whole history."""

    @expose("/e/<entity>/<uuid:id>/timeline")  # type: ignore[untyped-decorator]
    @signed_in
    def timeline(self, entity: str, id: UUID) -> Response:
        """The pane."""
        store = current_store()
        definition = entity_or_404(store, entity)
        activities = activity_links(store, definition)
        teller = Teller(store, definition)
        with store.transaction():
            record = store.read(entity, id, fields=(), deleted=True)
            items = list(teller.changes(id, store.history(entity, id, CHANGES), definition.timeline))
            for activity in activities:
                page = store.list(
                    activity.entity.key,
                    columns=teller.columns(activity),
                    where=[pointing_at(activity.entity, activity.field, record.ref)],
                    sort=(Sort(activity.at, descending=True),),
                    limit=PER_KIND,
                )
                teller.know(page.rows)
                items.extend(teller.activity(activity, row) for row in page.rows)
        composers = self._composers(store, activities) if record.deleted_at is None else []
        kinds = [(a.entity.key, a.entity.plural) for a in activities if any(i.kind == a.entity.key for i in items)]
        return self.draw(
            "_timeline.html",
            entity=definition,
            record=record,
            days=teller.days(items),
            teller=teller,
            kinds=kinds,
            composers=[(a, url_for("TimelineView.compose", entity=entity, id=id, kind=a.key)) for a in composers],
            compose=self._compose_values(store, composers[0], record.ref, {}) if composers else None,
            history=url_for("TimelineView.history", entity=entity, id=id),
        )

    @expose("/e/<entity>/<uuid:id>/compose/<kind>", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def compose(self, entity: str, id: UUID, kind: str) -> Response:
        """The short form of an activity about this record; POST creates it."""
        store = current_store()
        definition = entity_or_404(store, entity)
        activity = next((a for a in activity_links(store, definition) if a.key == kind), None)
        if activity is None:
            abort(404)
        if not store.may("create", kind):
            raise Forbidden(kind, "create")
        record = store.read(entity, id, fields=())
        if request.method == "GET":
            return self.draw("_compose.html", compose=self._compose_values(store, activity, record.ref, {}))
        typed = read_form(activity.entity, submitted(), store.tenant.model.entities)
        try:
            store.create(kind, {**typed, activity.field: record.ref})
        except Refused as refused:
            values = self._compose_values(store, activity, record.ref, {"typed": typed, "faults": refused.faults})
            return self.draw("_compose.html", status=422, compose=values)
        label = activity.entity.label.in_language(store.principal.reader.language)
        return jsonify({"toast": _("%(thing)s saved", thing=label)})

    @expose("/e/<entity>/<uuid:id>/history")  # type: ignore[untyped-decorator]
    @signed_in
    def history(self, entity: str, id: UUID) -> Response:
        """Every change, page by page."""
        store = current_store()
        definition = entity_or_404(store, entity)
        before = request.args.get("before", type=int)
        record = store.read(entity, id, fields=(), deleted=True)
        changes = store.history(entity, id, CHANGES, before)
        teller = Teller(store, definition)
        return self.draw(
            "history.html",
            entity=definition,
            record=record,
            days=teller.days(list(teller.changes(id, changes))),
            teller=teller,
            older=changes[-1].id if len(changes) == CHANGES else None,
            here=request.script_root + request.path,
            back=entity_address(entity, id),
        )

    def _composers(self, store: Store, activities: Sequence[Activity]) -> list[Activity]:
        """The activities that may be created here, the shortest form first."""
        able = [a for a in activities if a.entity.quick_create and a.key not in SENT and store.may("create", a.key)]
        return sorted(able, key=lambda a: len(a.entity.quick_create))

    def _compose_values(self, store: Store, activity: Activity, about: Ref, more: dict[str, Any]) -> dict[str, Any]:
        entity = activity.entity
        form = quick_form_of(entity, store.principal.roles)
        bound = BoundForm(store, entity, form, given={activity.field: about}, **more)
        fields = [f for f in bound.bound.values() if f.name != activity.field]
        if fields and isinstance(fields[0], BoundField) and fields[0].field.type.widget == "long_text":
            fields[0].hint = _("Write your %(thing)s here", thing=label_of(entity, store))
        files = [f for f in fields if isinstance(f, BoundField) and f.field.type.widget == "file" and f.visible]
        for file in files:
            file.is_clip = True
        return {
            "kind": entity.key,
            "entity": entity,
            "form": bound,
            "fields": [f for f in fields if f not in files],
            "files": files,
            "address": url_for("TimelineView.compose", entity=about.entity, id=about.id, kind=entity.key),
            "state": url_for("FormView.state", entity=entity.key),
            "save": _("Save %(thing)s", thing=label_of(entity, store)),
        }
