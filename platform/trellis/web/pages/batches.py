"""Recent bulk changes: imports, bulk edits and deletes, conversions; each can be undone at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from babel.dates import format_datetime
from flask import jsonify, redirect, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from trellis.model.locales import babel_locale
from trellis.records.refusal import Fault, Refused
from trellis.records.store import Store
from trellis.records.versions.batches import Told
from trellis.records.versions.undoing import Undoing, Undone
from trellis.web.context import current_store
from trellis.web.faults import fault_text
from trellis.web.flashes import toast, toast_now
from trellis.web.guard import signed_in
from trellis.web.i18n import lower_first
from trellis.web.navigation import entity_address
from trellis.web.pages.base import Page
from trellis.web.pages.form import faults_json, wants_json

MOST_ROWS = 200  # that one page tells one by one
VERBS = {
    "import": (_l("Import"), "upload"),
    "edit": (_l("Bulk edit"), "pencil"),
    "delete": (_l("Bulk delete"), "trash"),
    "restore": (_l("Bulk restore"), "restore"),
    "convert": (_l("Conversion"), "arrows-split-2"),
    "undo": (_l("Undoing"), "arrow-back-up"),
    "merge": (_l("Merge"), "git-merge"),
}
STATUSES = {
    "deleted": _l("Moved to the recycle bin"),
    "changed": _l("Changed back"),
    "restored": _l("Restored"),
    "unchanged": _l("As it was already"),
    "refused": _l("Left as it is"),
}


@dataclass(frozen=True)
class Row:
    """A batch as its page shows it."""

    batch: Told
    verb: Any
    icon: str
    things: str
    counts: list[str]
    when: str

    @property
    def is_undone(self) -> bool:
        """Whether another batch has undone it."""
        return self.batch.undone_by is not None


class BatchesView(Page):
    """`/changes`: recent bulk changes."""

    @expose("/changes")  # type: ignore[untyped-decorator]
    @signed_in
    def index(self) -> Any:
        """The latest batches: one's own, an administrator's everybody's."""
        store = current_store()
        limit = 30
        batches = store.batches(limit=limit, before=_moment(request.args.get("before")))
        older = batches[-1].at.isoformat() if len(batches) == limit else ""
        rows = [_row(store, told) for told in batches]
        return self.draw("batches.html", rows=rows, older=older, is_admin=store.session.permit.allows("admin"))

    @expose("/changes/<uuid:id>/undo", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def undo(self, id: UUID) -> Any:
        """Undoes a batch; the page says what became of each record."""
        store = current_store()
        language = store.principal.reader.language
        try:
            result = store.undo(id)
        except Refused as refused:
            if wants_json():
                response = jsonify(faults_json(refused.faults, language))
                response.status_code = 422
                return response
            toast(fault_text(refused.faults[0], language), kind="error")
            return redirect(url_for("BatchesView.index"), 303)
        left = result.counts["refused"]
        some = [row for row in result.rows if row.faults]
        if request.values.get("toast"):
            return self._back(result, left, language)
        if wants_json() and not some:
            toast(undone_words(result, language))
            return jsonify({"location": url_for("BatchesView.index")})
        counts = [(STATUSES[s], n) for s, n in result.counts.items()]
        told = [(row, entity_of(store, row), [_told(store, row, f) for f in row.faults]) for row in some[:MOST_ROWS]]
        more = max(0, len(some) - MOST_ROWS)
        return self.draw("undone.html", result=result, counts=counts, told=told, more=more, statuses=STATUSES)

    def _back(self, result: Undoing, left: int, language: str) -> Any:
        """To where the person was, with a toast: a list is drawn anew, another page is opened anew."""
        words, kind = undone_words(result, language), "error" if left else "success"
        if request.values["toast"] == "list":
            response = jsonify({"text": words})
            response.headers["HX-Trigger"] = "trellis:list-changed"
            return toast_now(response, words, kind=kind)
        toast(words, kind=kind)
        response = jsonify({"location": request.referrer or url_for("BatchesView.index")})
        response.headers["HX-Redirect"] = request.referrer or url_for("BatchesView.index")
        return response


def undone_words(result: Undoing, language: str) -> str:
    """What an undoing did, in a sentence."""
    done = sum(n for status, n in result.counts.items() if status in ("deleted", "changed", "restored"))
    words: str = ngettext("%(num)d record is as it was", "%(num)d records are as they were", done)
    left = result.counts["refused"]
    if not left:
        return words
    reason = next((fault_text(f, language) for row in result.rows if row.status == "refused" for f in row.faults), "")
    text = ngettext("%(num)d left as it is", "%(num)d left as they are", left)
    text = _("%(words)s: %(more)s", words=text, more=reason) if reason else text
    return str(_("%(words)s. %(more)s", words=words, more=text))


def entity_of(store: Store, row: Undone) -> dict[str, str]:
    """What a row is, and where."""
    entity = store.tenant.model.entities[row.entity]
    is_open = row.title and not entity.internal
    return {
        "label": entity.label.in_language(store.principal.reader.language),
        "address": entity_address(row.entity, row.id) if is_open else "",
    }


def _told(store: Store, row: Undone, fault: Fault) -> str:
    """Why something was left, with the field's name where this person may know it."""
    language = store.principal.reader.language
    text = fault_text(fault, language)
    field = store.tenant.model.entities[row.entity].fields.get(fault.field or "")
    if field is None or field.key not in store.readable_fields(row.entity):
        return text
    return f"{field.label.in_language(language)}: {text}"


def _row(store: Store, told: Told) -> Row:
    verb, icon = VERBS.get(told.kind, (told.kind, "stack-2"))
    entity = store.tenant.model.entities.get(told.entity)
    language = store.principal.reader.language
    zone = store.principal.reader.time_zone
    said = str(format_datetime(told.at, "medium", tzinfo=zone, locale=babel_locale(language)))
    things = entity.plural.in_language(language) if entity is not None else told.entity
    return Row(told, verb, icon, lower_first(things), _counts(told), said)


def _counts(told: Told) -> list[str]:
    words: Sequence[tuple[str, Any]] = (
        ("created", lambda n: ngettext("%(num)d created", "%(num)d created", n)),
        ("changed", lambda n: ngettext("%(num)d changed", "%(num)d changed", n)),
        ("deleted", lambda n: ngettext("%(num)d deleted", "%(num)d deleted", n)),
        ("restored", lambda n: ngettext("%(num)d restored", "%(num)d restored", n)),
    )
    return [say(told.counts[key]) for key, say in words if told.counts.get(key)]


def _moment(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return found if found is None or found.tzinfo is not None else None
