"""Saving and deleting views of one's own, and the menus that change a view: sort and columns."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from flask import redirect, render_template, request
from flask_appbuilder import expose
from flask_babel import gettext as _
from werkzeug import Response
from werkzeug.datastructures import MultiDict

from trellis.web.filters.fields import paths_of
from trellis.web.flashes import toast
from trellis.web.guard import signed_in
from trellis.web.lists.desk import open_desk
from trellis.web.lists.saved import PARTS, delete_view, save_view
from trellis.web.lists.state import can_group
from trellis.web.pages.base import Page


class SavedViewsView(Page):
    """A person's own views of an entity."""

    @expose("/e/<entity>/views", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def save(self, entity: str) -> Response:
        """Saves the state under a label, or deletes the view."""
        desk = open_desk(entity, read_query(request.form.get("state", "")))
        if gone := request.form.get("delete"):
            if delete_view(desk.store, entity, UUID(gone)):
                toast(_("View deleted"))
            return redirect(f"{desk.base}/?view={desk.state.view.key}")
        label = request.form.get("label", "").strip()
        if not label:
            return redirect(desk.address())
        given = read_query(request.form.get("state", ""))
        if desk.state.saved:  # what a saved view stands for, with what the address has changed
            given = MultiDict(desk.state.parts())
            given["view"] = desk.state.view.key
        kept = {name: given.getlist(name) for name in PARTS if given.getlist(name)}
        saved = save_view(desk.store, entity, label, kept)
        toast(_("View saved: %(label)s", label=saved.label))
        return redirect(f"{desk.base}/?view={saved.key}")

    @expose("/e/<entity>/sort")  # type: ignore[untyped-decorator]
    @signed_in
    def sort(self, entity: str) -> str:
        """The menu of what a list can be sorted by."""
        desk = open_desk(entity)
        paths = [p for p in paths_of(desk.store, desk.entity, through_links=False) if p.field.type.can_sort]
        choices = [(p, desk.address(desk.state.sorted_by(p.path))) for p in paths]
        now = desk.state.sorting[0] if desk.state.sorting else None
        reset = desk.address(replace(desk.state, sort=None)) if desk.state.sort is not None else ""
        return render_template("_sort.html", **desk.places, choices=choices, now=now, reset=reset)

    @expose("/e/<entity>/group")  # type: ignore[untyped-decorator]
    @signed_in
    def group(self, entity: str) -> str:
        """The menu of what a list's groups, or a board's columns, can be made of."""
        desk = open_desk(entity)
        state, is_board = desk.state, desk.state.view.type == "kanban"
        paths = [p for p in paths_of(desk.store, desk.entity, through_links=False) if can_group(p.field)]
        if is_board:
            paths = [p for p in paths if p.field.type.formula_type().kind not in ("boolean", "date", "datetime")]
        choices = [(p, desk.address(state.grouped_by(p.path))) for p in paths]
        without = desk.address(state.grouped_by("")) if state.grouping and not is_board else ""
        reset = desk.address(state.grouped_by(None)) if state.group is not None and state.view.group else ""
        return render_template(
            "_group.html", **desk.places, choices=choices, now=state.grouping, without=without, reset=reset
        )

    @expose("/e/<entity>/columns")  # type: ignore[untyped-decorator]
    @signed_in
    def columns(self, entity: str) -> str:
        """The chooser of columns: those shown, in order, then the others."""
        desk = open_desk(entity)
        known = {p.path: p for p in paths_of(desk.store, desk.entity)}
        shown = [known[path] for path in desk.state.paths if path in known]
        others = [p for path, p in known.items() if path not in desk.state.paths]
        return render_template("_columns.html", **desk.places, shown=shown, others=others)


def read_query(text: str) -> MultiDict[str, str]:
    """The parameters of a query text."""
    from urllib.parse import parse_qsl

    return MultiDict(parse_qsl(text, keep_blank_values=True))
