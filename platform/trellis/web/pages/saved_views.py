"""Views of one's own: saving, sharing, deleting them; and the menus that change a view: sort, groups and columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from flask import abort, redirect, render_template, request
from flask_appbuilder import expose
from flask_babel import gettext as _
from werkzeug import Response
from werkzeug.datastructures import MultiDict

from trellis.records.refusal import Forbidden, Missing
from trellis.web.context import may
from trellis.web.filters.fields import paths_of
from trellis.web.flashes import toast
from trellis.web.guard import signed_in
from trellis.web.lists.desk import Desk, open_desk
from trellis.web.lists.saved import (
    PARTS,
    SavedView,
    change_view,
    choose_default,
    cut,
    delete_view,
    save_view,
    unshare_view,
)
from trellis.web.lists.state import can_group
from trellis.web.pages.base import Page


class SavedViewsView(Page):
    """A person's own views of an entity."""

    @expose("/e/<entity>/views", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def save(self, entity: str) -> Response:
        """Saves the state under a label, or does something with the view that the state is of."""
        desk = open_desk(entity, read_query(request.form.get("state", "")))
        act = ACTS.get(request.form.get("do", "save"))
        if act is None:
            abort(400)
        return redirect(act(desk, request.form), 303)

    @expose("/e/<entity>/view")  # type: ignore[untyped-decorator]
    @signed_in
    def view(self, entity: str) -> str:
        """The menu of what can be done with the view that is shown."""
        desk = open_desk(entity)
        saved = desk.state.saved
        owner = "" if saved is None or saved.is_mine else owner_of(desk, saved)
        return render_template(
            "_view_menu.html",
            **desk.places,
            saved=saved,
            owner=owner,
            is_default=desk.state.key == desk.default,
            is_changed=saved is not None and kept_of(desk) != dict(saved.definition),
            may_unshare=may("admin"),
        )

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


def kept_of(desk: Desk) -> dict[str, list[str] | str]:
    """The state as a saved view keeps it: over a saved view, what that stands for with what has been changed."""
    parts = MultiDict(desk.state.parts())
    parts["view"] = desk.state.view.key
    return {name: parts.getlist(name) for name in PARTS if parts.getlist(name)}


def owner_of(desk: Desk, saved: SavedView) -> str:
    """Who shares a view, where one may see that person."""
    try:
        return desk.store.read("user", saved.owner, fields=[]).title if saved.owner else ""
    except (Missing, Forbidden):
        return ""


def _save(desk: Desk, form: Form) -> str:
    label = cut(form.get("label", ""))
    if not label:
        toast(_("A view needs a name."), kind="error")
        return desk.address()
    saved = save_view(desk.store, desk.entity.key, label, kept_of(desk))
    if form.get("shared"):
        change_view(desk.store, desk.entity.key, saved.id, shared=True)
    toast(_("View saved: %(label)s", label=saved.label))
    return f"{desk.base}/?view={saved.key}"


def _update(desk: Desk, form: Form) -> str:
    saved = own(desk)
    change_view(desk.store, desk.entity.key, saved.id, definition=kept_of(desk))
    toast(_("View saved: %(label)s", label=saved.label))
    return f"{desk.base}/?view={saved.key}"


def _rename(desk: Desk, form: Form) -> str:
    saved, label = own(desk), cut(form.get("label", ""))
    if not label:
        toast(_("A view needs a name."), kind="error")
    elif any(each.is_mine and each.id != saved.id and each.label == label for each in desk.saved):
        toast(_("You have a view named “%(label)s” already.", label=label), kind="error")
    else:
        change_view(desk.store, desk.entity.key, saved.id, label=label)
        toast(_("View saved: %(label)s", label=label))
    return desk.address()


def _share(desk: Desk, form: Form) -> str:
    saved = own(desk)
    change_view(desk.store, desk.entity.key, saved.id, shared=True)
    toast(_("“%(label)s” is shared with everybody who may see these records.", label=saved.label))
    return desk.address()


def _unshare(desk: Desk, form: Form) -> str:
    saved = desk.state.saved
    if saved is None:
        abort(404)
    if saved.is_mine:
        change_view(desk.store, desk.entity.key, saved.id, shared=False)
    elif may("admin"):
        unshare_view(desk.store, desk.entity.key, saved.id)
    else:
        abort(403)
    toast(_("“%(label)s” is not shared any more.", label=saved.label))
    return desk.address() if saved.is_mine else f"{desk.base}/"


def _delete(desk: Desk, form: Form) -> str:
    delete_view(desk.store, desk.entity.key, own(desk).id)
    toast(_("View deleted"))
    return f"{desk.base}/?view={desk.state.view.key}"


def _default(desk: Desk, form: Form) -> str:
    choose_default(desk.store, desk.entity.key, desk.state.key)
    label = desk.state.saved.label if desk.state.saved else desk.state.view.label.in_language(desk.language)
    toast(_("“%(label)s” is what opens first from now on.", label=label))
    return desk.address()


def _undefault(desk: Desk, form: Form) -> str:
    choose_default(desk.store, desk.entity.key, None)
    toast(_("The first view opens first again."))
    return desk.address()


def own(desk: Desk) -> SavedView:
    """The person's own view that the state is of: gone is 404, another's is 403."""
    saved = desk.state.saved
    if saved is None:
        abort(404)
    if not saved.is_mine:
        abort(403)
    return saved


Form: TypeAlias = "MultiDict[str, str]"
ACTS: Mapping[str, Callable[[Desk, Form], str]] = {
    "save": _save,
    "update": _update,
    "rename": _rename,
    "share": _share,
    "unshare": _unshare,
    "delete": _delete,
    "default": _default,
    "undefault": _undefault,
}


def read_query(text: str) -> MultiDict[str, str]:
    """The parameters of a query text."""
    from urllib.parse import parse_qsl

    return MultiDict(parse_qsl(text, keep_blank_values=True))
