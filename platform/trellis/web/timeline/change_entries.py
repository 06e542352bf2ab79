"""A record's changes as entries of its timeline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from flask import url_for
from flask_babel import gettext as _
from markupsafe import Markup

from trellis.formula.types import Value
from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.records.record import Change
from trellis.records.refusal import Missing
from trellis.web.cells.markup import dash
from trellis.web.cells.registry import CellContext, renderer
from trellis.web.navigation import entity_address
from trellis.web.service_levels import STRUCK
from trellis.web.timeline.days import Clock
from trellis.web.timeline.entries import Detail, Item, LineDetail
from trellis.web.timeline.lines import CAME, STAYED, WENT, LineChange, line_changes, titles_of
from trellis.web.timeline.verbs import pool_verb, verb_of

if TYPE_CHECKING:
    from trellis.records.store import Store

LINKING = ("link", "unlink")  # entries that say nothing without what was linked
LONG = ("long_text", "rich_text", "code", "json")


class ChangeEntries:
    """Makes entries out of the changes of one entity's records, for one reader."""

    def __init__(self, store: Store, entity: Entity, clock: Clock) -> None:
        self._store = store
        self._entity = entity
        self._clock = clock
        self._context = CellContext(clock.reader, store.tenant.model, entity, entity_address)

    def of(self, record: UUID, changes: Sequence[Change], fields: Sequence[str] = ()) -> Iterator[Item]:
        """The changes that are shown: of the fields that the timeline names, else of all that may be seen.

        Those of records that were merged into this one are among them.
        """
        readable = set(self._store.readable_fields(self._entity.key))
        for change in changes:
            details = tuple(
                self._detail(self._entity.fields[c.field], c.old, c.new)
                for c in change.changes
                if c.field in readable and (not fields or c.field in fields or change.kind in LINKING)
            )
            lines = self._lines(line_changes(self._store, self._entity, change, fields))
            if change.kind in ("update", *LINKING) and not (details or lines or pool_verb(self._store, change)):
                continue
            if change.kind in STRUCK and not change.changes:
                continue  # the state is hidden from this person
            icon, verb = verb_of(self._store, change)
            if change.kind in ("create", *STRUCK):
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
                when=self._clock.time_text(change.at),
                undo=self._undo_address(change),
                is_linking=change.kind in LINKING,
            )

    def _lines(self, changes: Sequence[LineChange]) -> tuple[LineDetail, ...]:
        """What happened to lines, with what they are called."""
        titles = titles_of(self._store, changes)
        words = {CAME: ("plus", _("added")), WENT: ("minus", _("removed")), STAYED: ("pencil", "")}
        return tuple(
            LineDetail(
                line.entity.label,
                line.title or titles.get((line.entity.key, line.id), ""),
                *words[line.became],
                ()
                if line.became == CAME
                else tuple(self._detail(line.columns[f.field], f.old, f.new) for f in line.fields),
            )
            for line in changes
        )

    def _undo_address(self, change: Change) -> str:
        """Where a merge is undone, by somebody who may, while there is time."""
        if change.kind != "merge" or change.record is None or not self._store.may_merge(self._entity.key):
            return ""
        try:
            merges = self._store.merges(self._entity.key, change.record)
        except Missing:  # the entry of a record that was merged itself since
            return ""
        found = next((m for m in merges if m.at == change.at and m.until > self._clock.reader.now), None)
        if found is None:
            return ""
        return url_for("MergeView.undo", entity=self._entity.key, id=change.record, merge=found.id)

    def _detail(self, field: Field, old: Value, new: Value) -> Detail:
        draw = renderer(field, self._context)

        def show(value: Value) -> Markup:
            if value is None or value in ("", ()):
                return dash()
            try:
                return Markup(draw(value))
            except (AttributeError, TypeError, ValueError, KeyError):
                return Markup("<bdi>{}</bdi>").format(str(value))

        return Detail(
            field.label, show(old), show(new), field.type.name in LONG, is_gone=new is None or new in ("", ())
        )
