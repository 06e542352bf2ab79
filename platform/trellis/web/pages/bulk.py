"""Actions on what is selected in a list: edit a field, delete, restore, export."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from flask import Response, abort, jsonify, make_response, render_template, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _
from flask_babel import ngettext

from trellis.model.fields.base import Invalid
from trellis.records.refusal import Fault, Forbidden
from trellis.records.transfer import export_csv, export_lines
from trellis.web.cells.numbers import number_text
from trellis.web.faults import fault_text
from trellis.web.guard import signed_in
from trellis.web.lists.desk import Desk, open_desk
from trellis.web.lists.grid import make_grid
from trellis.web.lists.pipelines import pipelines_over
from trellis.web.lists.selection import MOST, BulkOutcome, move_each, read_selection, update_each
from trellis.web.pages.base import Page
from trellis.web.pages.saved_views import read_query
from trellis.web.widgets.base import widget_of
from trellis.web.widgets.bound import BoundField
from trellis.web.widgets.submitted import Submitted

if TYPE_CHECKING:
    from trellis.model.field import Field

NOT_IN_BULK = frozenset({"file", "image", "signature", "lines", "secret", "sequence"})
MOST_REASONS = 3
EXPORT_AT_ONCE = 50  # records that one formula names


class BulkView(Page):
    """`/e/<entity>/bulk…`: what the selection bar does."""

    @expose("/e/<entity>/bulk/edit", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def edit(self, entity: str) -> Response | str:
        """The dialog that sets one field of every selected record, and doing it."""
        given = read_query(request.form.get("state", "")) if request.method == "POST" else request.args
        desk = open_desk(entity, given)
        if not (desk.may_bulk and desk.may("update")):
            raise Forbidden(entity, "update")
        writable = desk.store.writable_fields(entity)
        fields = [f for f in desk.entity.fields.values() if f.key in writable and f.type.name not in NOT_IN_BULK]
        key = request.values.get("field", "")
        field = next((f for f in fields if f.key == key), None)
        if request.method == "GET" or field is None:
            count = request.args.get("count", "")
            return self._dialog(desk, fields, field, count=count)
        sent = Submitted(request.form, request.files)
        value = None if request.form.get("clear") else widget_of(field).read(sent, field)
        if value is not None:
            try:
                field.type.parse(value, desk.store.principal.reader)
            except Invalid as invalid:
                words = fault_text(Fault(invalid.code, invalid.message, field.key, invalid.params))
                html = self._dialog(desk, fields, field, count=request.form.get("count", ""), error=words, typed=value)
                return make_response(html, 422)
        selection = read_selection(desk, request.form)
        outcome = update_each(selection, {key: value}, fault_text, confirmed="confirmed" in request.form)
        words = ngettext("%(num)d record changed", "%(num)d records changed", len(outcome.done))
        return jsonify(answer(outcome, words, desk.language))

    @expose("/e/<entity>/bulk/delete", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def delete(self, entity: str) -> Response:
        """Moves the selected records to the bin."""
        desk = open_desk(entity, read_query(request.form.get("state", "")))
        if not (desk.may_bulk and desk.may("delete")):
            raise Forbidden(entity, "delete")
        selection = read_selection(desk, request.form)
        with desk.store.batch("delete", entity) as made:
            outcome = move_each(selection, lambda ids: desk.store.delete_many(entity, ids), fault_text)
        outcome.batch = made.id if outcome.done else None
        words = ngettext("%(num)d record moved to the bin", "%(num)d records moved to the bin", len(outcome.done))
        said = answer(outcome, words, desk.language)
        return jsonify(said)

    @expose("/e/<entity>/bulk/restore", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def restore(self, entity: str) -> Response:
        """Takes the selected records out of the bin again."""
        desk = open_desk(entity)
        selection = read_selection(desk, request.form)
        with desk.store.batch("restore", entity) as made:
            outcome = move_each(selection, lambda ids: desk.store.restore_many(entity, ids), fault_text)
        outcome.batch = made.id if outcome.done else None
        words = ngettext("%(num)d record restored", "%(num)d records restored", len(outcome.done))
        response = jsonify(answer(outcome, words, desk.language))
        response.headers["HX-Trigger"] = "trellis:list-changed"
        return response

    @expose("/e/<entity>/export.csv", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def export(self, entity: str) -> Response:
        """What is listed, or selected, as a CSV file with the columns that are shown."""
        given = read_query(request.form.get("state", "")) if request.method == "POST" else request.args
        desk = open_desk(entity, given)
        if not desk.may("export"):
            raise Forbidden(entity, "export")
        ids = read_selection(desk, request.form).ids if request.form.get("ids") else None
        response = Response(export_text(desk, ids), mimetype="text/csv")
        name = f"{entity}-{desk.store.principal.reader.today().isoformat()}.csv"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return response

    @expose("/e/<entity>/export/<name>.csv")  # type: ignore[untyped-decorator]
    @signed_in
    def export_lines(self, entity: str, name: str) -> Response:
        """The lines of what is listed as a CSV file, each with what its record is known by."""
        desk = open_desk(entity, request.args)
        if not desk.may("export"):
            raise Forbidden(entity, "export")
        if name not in desk.part_lists:
            abort(404)
        out = io.StringIO("\ufeff")
        out.seek(0, io.SEEK_END)
        own, q = desk.state.formulas(desk.store.principal.reader), desk.state.q or None
        export_lines(desk.store, entity, name, out, where=own, q=q, labels=True)
        response = Response(out.getvalue(), mimetype="text/csv")
        day = desk.store.principal.reader.today().isoformat()
        response.headers["Content-Disposition"] = f'attachment; filename="{entity}-{name}-{day}.csv"'
        return response

    def _dialog(
        self,
        desk: Desk,
        fields: list[Field],
        field: Field | None,
        *,
        count: str,
        error: str = "",
        typed: object = None,
    ) -> str:
        bound = None
        if field is not None:
            bound = BoundField(
                store=desk.store,
                entity=desk.entity,
                field=field,
                value=typed,
                typed=typed is not None,
                errors=[error] if error else [],
            )
        among = pipelines_over(desk.entity, field.key) if field is not None else []
        ruled = {match.field for rule in desk.entity.dedupe for match in rule.match}
        compared = field is not None and field.key in ruled
        places = {"compared": compared, "lines": among if len(among) > 1 else (), "typed": typed}
        plain = count.removesuffix("+")
        is_number = plain.isdecimal() and len(plain) < 10
        places["shown_count"] = number_text(int(plain), desk.language, 0) + count[len(plain) :] if is_number else count
        return render_template("_bulk_edit.html", **desk.places, **places, fields=fields, bound=bound, count=count)


def answer(outcome: BulkOutcome, words: str, language: str) -> dict[str, object]:
    """What the page is told: how many were done, and why the others were not."""
    if outcome.same:
        had = ngettext("%(num)d had that value already", "%(num)d had that value already", outcome.same)
        words = _("%(words)s, %(more)s", words=words, more=had) if outcome.done else had
    said: dict[str, object] = {"done": len(outcome.done), "refused": outcome.count_refused, "text": words}
    if outcome.is_cut:
        words = _(
            "%(words)s. No more than %(most)s are done at once: repeat it for the rest",
            words=words,
            most=number_text(MOST, language, 0),
        )
        said |= {"text": words, "kind": "info"}
    if outcome.refused:
        said |= {"text": with_reasons(words if outcome.done or outcome.same else "", outcome), "kind": "error"}
    if outcome.batch is not None:
        said["undo"] = {"url": url_for("BatchesView.undo", id=outcome.batch), "values": {"toast": "list"}}
    return said


def with_reasons(words: str, outcome: BulkOutcome) -> str:
    """What was done, how many records were left, and the commonest reasons why."""
    left = ngettext("%(num)d left as it was", "%(num)d left as they were", outcome.count_refused)
    counted = sorted(outcome.refused.items(), key=lambda item: -item[1])[:MOST_REASONS]
    reasons = _("; ").join(f"{reason} ({count})" if len(outcome.refused) > 1 else reason for reason, count in counted)
    left = _("%(words)s: %(more)s", words=left, more=reasons)
    return str(_("%(words)s. %(more)s", words=words, more=left)) if words else str(left)


def export_text(desk: Desk, ids: Sequence[UUID] | None) -> str:
    """The entity's own columns of the list as CSV, with a header in the reader's language."""
    grid = make_grid(desk.store, desk.state, can_edit=False)
    columns = list(grid.paths)
    reader = desk.store.principal.reader
    own, sort, q = desk.state.formulas(reader), desk.state.sorting, desk.state.q or None
    out = io.StringIO()
    out.write("\ufeff")  # spreadsheets take the text for UTF-8 only with it
    if ids is None:
        export_csv(desk.store, desk.entity.key, out, columns=columns, where=own, q=q, sort=sort, labels=True)
        return out.getvalue()
    for start in range(0, max(1, len(ids)), EXPORT_AT_ONCE):
        some = " or ".join(f'id == "{id}"' for id in ids[start : start + EXPORT_AT_ONCE]) or "false"
        part = io.StringIO()
        export_csv(desk.store, desk.entity.key, part, columns=columns, where=[*own, some], sort=sort, labels=True)
        text = part.getvalue()
        out.write(text if start == 0 else text.partition("\r\n")[2])
    return out.getvalue()
