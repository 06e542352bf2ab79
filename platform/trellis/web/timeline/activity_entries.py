"""Activities, which are records about a record, as entries of its timeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from markupsafe import Markup

from trellis.automation.mail import kept, tracing
from trellis.automation.messages import kept as messages
from trellis.formula.types import Ref
from trellis.model.entity import Entity
from trellis.model.markup import render_markdown
from trellis.records.record import Record
from trellis.web.cells.markup import color_of
from trellis.web.cells.registry import CellContext, renderer
from trellis.web.navigation import entity_address
from trellis.web.timeline.activities import Activity
from trellis.web.timeline.days import Clock, is_day
from trellis.web.timeline.entries import Item
from trellis.web.timeline.letters import read_badges, written_by
from trellis.web.timeline.waiting import Waiting
from trellis.web.widgets.bound import draw

if TYPE_CHECKING:
    from trellis.records.store import Store

SENT = (kept.ENTITY, messages.ENTITY)  # what goes out and comes in is kept by what does that, not written here
WRITER = ("direction", "sender", "number")


class ActivityEntries:
    """Makes entries out of the records of one kind of activity, for one reader."""

    def __init__(self, store: Store, activity: Activity, clock: Clock) -> None:
        self._store = store
        self._activity = activity
        self._clock = clock
        self._readable = frozenset(store.readable_fields(activity.key))
        self._waiting = Waiting(activity, self._readable, clock.reader)

    def columns(self) -> list[str]:
        """What is read of an activity."""
        activity, entity = self._activity, self._activity.entity
        wanted = [
            activity.at,
            "created_at",
            *(["updated_at", *reads] if (reads := self._waiting.reads) else ()),
            activity.text,
            activity.files,
            entity.owner_field or "",
            *self._badge_fields(entity),
            *(WRITER if entity.key in SENT else ()),
        ]
        return [c for c in dict.fromkeys(wanted) if c and c in self._readable]

    def of(self, records: Sequence[Record]) -> list[Item]:
        """The entries."""
        read = self._read(records)
        return [self._entry(record, read.get(record.id)) for record in records]

    def _read(self, records: Sequence[Record]) -> Mapping[UUID, tracing.Seen]:
        """Which letters were opened, if this person may see it."""
        if not records or self._activity.key != kept.ENTITY or "opens" not in self._readable:
            return {}
        with self._store.transaction() as connection:
            return tracing.seen(connection, self._store.tenant, [record.id for record in records])

    def _entry(self, record: Record, seen: tracing.Seen | None) -> Item:
        activity, entity, clock = self._activity, self._activity.entity, self._clock
        at = clock.moment(record.get(activity.at)) or record["created_at"]
        is_early = at > clock.reader.now and self._waiting.is_over(record)
        if is_early:  # done before its day: it stands where that was said, not under what is to come
            at = record.get("updated_at") or record["created_at"]
        context = CellContext(clock.reader, self._store.tenant.model, entity, entity_address)
        owner = record.get(entity.owner_field or "")
        badges = tuple(
            Markup(renderer(entity.fields[key], context)(record[key]))
            for key in self._badge_fields(entity)
            if record.get(key) is not None
        )
        if seen is not None:
            badges += tuple(read_badges(seen))
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
            files=self._files(record),
            when=clock.time_text(at) if is_early or not is_day(record.get(activity.at)) else "",
        )

    def _files(self, record: Record) -> Markup | None:
        activity = self._activity
        held = record.get(activity.files) if activity.files else None
        if not held:
            return None
        field = activity.entity.fields[activity.files]
        return draw("_files.html", entity=activity.entity, record=record, field=field, files=held)

    def _badge_fields(self, entity: Entity) -> list[str]:
        return [k for k in entity.highlights if k in self._readable and entity.fields[k].type.name == "choice"][:2]
