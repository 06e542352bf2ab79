"""Moving a record to a stage or a column: at once, or by the gate, a dialog that asks for exactly what is missing.

The board and the record page move by this; what is allowed and what is needed is said by the door alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from flask import Response, jsonify, make_response, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from trellis.model.form import Form, FormField, Section
from trellis.records.refusal import Fault, Forbidden, Refused, Stale
from trellis.web.faults import fault_text
from trellis.web.lists.board import lane_key
from trellis.web.pages.form import faults_json, here, submitted
from trellis.web.widgets.form import BoundForm, read_form
from trellis.web.widgets.lines import lines_of

if TYPE_CHECKING:
    from uuid import UUID

    from trellis.model.entity import Entity
    from trellis.model.pipeline import Stage
    from trellis.records.pipelines.pipeline import Track
    from trellis.records.record import Record
    from trellis.records.store import Store

NEEDED = frozenset({"gate", "required"})  # what a person can still give
FINAL = frozenset({"forbidden", "move"})  # what no answer changes
KEPT = ("to", "pipeline", "from", "_asked")  # what the dialog sends again
BLANK: tuple[Any, ...] = (None, "", (), [], False)


@dataclass(frozen=True)
class Goal:
    """Where a record is to go: what the move sets, and what the place is called."""

    field: str
    values: Mapping[str, Any]  # the field's value, and the pipeline's where it is another one
    label: str
    track: Track | None = None
    stage: Stage | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a move: the record as it is now, or an answer that says why not."""

    moved: Record | None = None
    refused: Response | None = None
    elsewhere: Record | None = None  # somebody was faster: where the record is by now
    words: str = ""


class Gate:
    """One person's attempt to move one record."""

    def __init__(self, store: Store, entity: Entity, id: UUID, goal: Goal) -> None:
        self.store, self.entity, self.goal = store, entity, goal
        self.record = store.read(entity.key, id)
        if not store.may("update", entity.key, self.record):
            raise Forbidden(entity.key, "update")
        self.sent = submitted()

    @cached_property
    def lines(self) -> Mapping[str, Entity]:
        """The lists of parts that can be filled in here."""
        return lines_of(self.entity, self.store.tenant.model.entities)

    @cached_property
    def typed(self) -> dict[str, Any]:
        """What the dialog was answered with."""
        found = read_form(self.entity, self.sent, self.store.tenant.model.entities)
        return {key: value for key, value in found.items() if key not in self.goal.values}

    @cached_property
    def ticked(self) -> dict[str, Any]:
        """What is ticked now, with what stood ticked before."""
        ticks, track = self.sent.texts("_tick"), self.goal.track
        if not ticks or track is None:
            return {}
        return {track.checklist: list(dict.fromkeys([*(self.record.get(track.checklist) or ()), *ticks]))}

    @cached_property
    def form(self) -> BoundForm:
        """The fields of the dialog, judged as they will be there."""
        given = dict(self.goal.values)
        return BoundForm(self.store, self.entity, Form(()), self.record, typed=self.typed, given=given)

    def go(self) -> Outcome:
        """Move the record, or say what stands against it."""
        start = request.form.get("from")
        if start is not None and start != lane_key(self.record.get(self.goal.field)):
            return self._elsewhere()
        values = {**self.typed, **self.ticked, **self.goal.values}
        try:
            with self.store.transaction():
                moved = self.store.update(self.entity.key, self.record.id, values, version=self.record.version)
                if self.offered:
                    raise Offered
        except Offered:
            return Outcome(refused=self._dialog([], (), self.offered))
        except Stale:
            self.record = self.store.read(self.entity.key, self.record.id)
            return self._elsewhere()
        except Refused as refused:
            return Outcome(refused=self._answer(refused.faults))
        return Outcome(moved=moved)

    @cached_property
    def offered(self) -> list[str]:
        """What the stage asks for and does not need, unless it was asked for already."""
        if self.goal.stage is None or "_asked" in request.form:
            return []
        return [k for k in self.goal.stage.ask if k not in self.typed and self._can_give(k) and self._is_blank(k)]

    def _is_blank(self, name: str) -> bool:
        return name in self.entity.fields and self.record.get(name) in BLANK

    def _can_give(self, name: str | None) -> bool:
        """Whether a person can fill it in here."""
        if name is not None and name in self.lines:
            return self.form.may_edit_lines(self.lines[name])
        if name not in self.entity.fields or name not in self.form.writable or name in self.goal.values:
            return False
        state = self.form.state.fields.get(name)
        return state is None or (state.visible and not state.readonly)

    def _answer(self, faults: Sequence[Fault]) -> Response:
        """The dialog where answers would help, else the reasons; for a stage that a conversion leads to, its page."""
        convertible = any(f.code == "convert" for f in faults)
        if convertible and self.store.may_convert(self.entity.key, self.record.id):
            page = url_for("ConvertView.convert", entity=self.entity.key, id=self.record.id)
            return make_response(jsonify({"location": page}), 409)
        ticks = [f for f in faults if f.code == "gate" and f.params.get("key")]
        needed = [f.field for f in faults if f.code in NEEDED and f not in ticks and self._can_give(f.field)]
        needed += [k for f in faults for k in f.params.get("reads", ()) if self._can_give(k) and self._is_blank(k)]
        asked = [key for key in dict.fromkeys(needed) if key is not None]
        final = [f for f in faults if f.code in FINAL and not f.params.get("reads")]
        helps = bool(ticks or asked or self.typed or self.ticked)
        if final or not helps:
            return self._refusal(final or faults)
        return self._dialog(asked, faults, self.offered)

    def _refusal(self, faults: Sequence[Fault]) -> Response:
        said = faults_json(tuple(faults), self.store.principal.reader.language)
        said["reason"] = _("Put back: %(reason)s", reason=said["message"])
        return make_response(jsonify(said), 409)

    def _dialog(self, asked: Sequence[str], faults: Sequence[Fault], offered: Sequence[str]) -> Response:
        form, language = self.form, self.store.principal.reader.language
        again = "_asked" in request.form
        ticks = [f for f in faults if f.code == "gate" and f.params.get("key")]
        names = list(dict.fromkeys([*self.typed, *asked, *offered]))
        form.form = Form((Section("gate", self.entity.label, tuple(FormField(k, "full") for k in names), columns=1),))
        wrong = {f.field for f in faults if f.code not in NEEDED}
        # what is asked for first is not wrong yet, and what cannot be read is not missing
        form.faults = [f for f in faults if f.code not in NEEDED or (again and f.field not in wrong)]
        for key in [*asked, *(k for k in self.typed if self.goal.stage and k in self.goal.stage.require)]:
            form.bound[key].required = True
        known = {f.field for f in ticks} | set(names)
        others = [fault_text(f, language) for f in form.faults if not self._is_shown(f, known)]
        if again:
            others += [fault_text(f, language) for f in ticks]
        count = len(asked) + len(ticks)
        if count:
            words = ngettext(
                "needs one more thing before it can go there.",
                "needs %(num)d more things before it can go there.",
                count,
            )
        else:
            words = _("can go there. Say what you know; it may all stay blank.")
        kept = {name: request.form[name] for name in KEPT if name in request.form} | {"_asked": "1"}
        html = render_template(
            "_gate.html",
            form=form,
            entity=self.entity,
            record=self.record,
            label=self.goal.label,
            words=words,
            kept=kept,
            checks=[(str(f.params["key"]), f.params["item"]) for f in ticks],
            ticked=self.sent.texts("_tick"),
            others=others,
            action=here(),
            state_address=url_for("FormView.state", entity=self.entity.key, id=self.record.id),
        )
        return make_response(html, 422)

    def _is_shown(self, fault: Fault, known: set[str | None]) -> bool:
        """Whether what is wrong stands at its field."""
        return fault.field is not None and (fault.field in known or fault.field.partition(".")[0] in known)

    def _elsewhere(self) -> Outcome:
        """Somebody has moved it since the page was drawn."""
        field = self.goal.field
        changes = self.store.history(self.entity.key, self.record.id, limit=20)
        last = next((c for c in changes if any(f.field == field for f in c.changes)), None)
        value, kind = self.record.get(field), self.entity.fields[field].type
        shown = kind.display(value, self.store.principal.reader) if value is not None else "–"
        who = last.by_name if last is not None and last.by_name else _("Somebody")
        if last is not None and last.by is not None and last.by.id == self.store.principal.id:
            who = _("You")
        words = _("%(who)s moved this to “%(place)s” in the meantime.", who=who, place=shown)
        return Outcome(elsewhere=self.record, words=words)


class Offered(Exception):
    """The move is possible; before it is done, a person is asked for more."""
