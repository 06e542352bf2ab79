"""The editor: the tenant's own files, kept as a draft with every pause in typing, and checked as they are kept."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, jsonify, redirect, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.studio import draft as drafts
from trellis.studio.asking import me, my_draft
from trellis.studio.checking import Busy
from trellis.studio.draft import Draft, Outdated
from trellis.studio.own import MANIFEST, BadPath, clean_path
from trellis.studio.starters import starter
from trellis.studio.state import state_of
from trellis.web.context import current_tenant
from trellis.web.flashes import toast
from trellis.web.guard import needs
from trellis.web.pages.base import Page


class EditorView(Page):
    """`/admin/configuration/edit` and what its script asks."""

    @expose("/admin/configuration/edit")  # type: ignore[untyped-decorator]
    @needs("admin")
    def edit(self) -> Response:
        """One file of the tenant's own; `?line=` and `&column=` say where to begin."""
        draft = my_draft()
        path = request.args.get("file") or next(iter([p for p in draft.files if p != MANIFEST]), MANIFEST)
        change = draft.changes.get(path)
        if path not in draft.files and change is None:
            abort(404)
        return self.draw(
            "studio/editor.html",
            draft=draft,
            path=path,
            text=draft.files.get(path),
            change=change,
            state=state_of(draft),
            folders=FOLDERS_OF_NEW,
            line=request.args.get("line", type=int) or 0,
            column=request.args.get("column", type=int) or 1,
        )

    @expose("/admin/configuration/draft", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    @needs("admin")
    def draft(self) -> Any:
        """How the draft stands; with POST, one file is kept first. 409 says that another window was faster."""
        if request.method == "GET":
            return jsonify(state_of(my_draft()))
        sent = request.get_json(silent=True)
        if not isinstance(sent, dict):
            return self._kept_by_form()
        path, text = str(sent.get("path", "")), sent.get("text")
        try:
            draft = _save(my_draft(), path, text if text is None else str(text), _number(sent.get("version")))
        except Outdated as outdated:
            return _outdated(outdated)
        except BadPath as bad:
            return jsonify(message=_(str(bad))), 422
        kept = draft.changes.get(path)
        answer = {"version": kept.version if kept else 0, "is_changed": kept is not None}
        try:
            return jsonify(**answer, **state_of(draft))
        except Busy:  # the text is kept; the page asks again what is wrong with it
            return jsonify(**answer, is_busy=True)

    def _kept_by_form(self) -> Any:
        """Without scripts, the form's own button keeps the text."""
        path = request.form.get("path", "")
        if "text" not in request.form:
            return self._refused(_("Nothing was sent to be kept."))
        text = request.form["text"].replace("\r\n", "\n")
        try:
            _save(my_draft(), path, text, _number(request.form.get("version")))
        except Outdated:
            return self._refused(_("This file was changed in another window meanwhile. What you typed is below."), text)
        except BadPath as bad:
            return self._refused(_(str(bad)), text)
        return redirect(url_for("EditorView.edit", file=path))

    def _refused(self, message: str, text: str = "") -> Response:
        return self.draw("studio/refused.html", status=422, message=message, text=text)

    @expose("/admin/configuration/files", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("admin")
    def add(self) -> Any:
        """Begin a new file, of a folder and a name."""
        folder, name = request.form.get("folder", "schemas"), request.form.get("name", "").strip().strip("/")
        if name and "." not in name.rpartition("/")[2] and folder != "documents":
            name += ".yaml"
        draft = my_draft()
        try:
            path = clean_path(f"{folder}/{name}" if name else "")
            if path in draft.files:
                raise BadPath("There is a file of that name already.")
            known = draft.changes.get(path)
            drafts.save(current_tenant(), draft, me(), path, starter(path), version=known.version if known else 0)
        except BadPath as bad:
            return self._refused(_(str(bad)))
        except Outdated:
            return self._refused(_("This file was changed in another window meanwhile."))
        return redirect(url_for("EditorView.edit", file=path))

    @expose("/admin/configuration/delete", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("admin")
    def delete(self) -> Any:
        """Take a file out of the draft; the live one stays until this is published."""
        draft, path = my_draft(), request.form.get("path", "")
        if path not in draft.files:
            abort(404)
        try:
            drafts.save_all(current_tenant(), draft, me(), {path: None})
        except BadPath as bad:
            return self._refused(_(str(bad)))
        except Outdated:
            return self._refused(_("This file was changed in another window meanwhile."))
        toast(_("%(file)s goes when you publish.", file=path))
        return redirect(url_for("EditorView.edit"))

    @expose("/admin/configuration/discard", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("admin")
    def discard(self) -> Any:
        """Throw away what was changed in one file, or in all."""
        path = request.form.get("path") or None
        drafts.discard(current_tenant(), me(), path)
        if path is None:
            toast(_("Your changes are thrown away."))
            return redirect(url_for("ConfigurationView.overview"))
        live = path in my_draft().live_files
        toast(_("%(file)s is again as it is live.", file=path) if live else _("%(file)s is gone.", file=path))
        return redirect(url_for("EditorView.edit", file=path if live else None))


FOLDERS_OF_NEW = ("schemas", "workflows", "i18n", "tests", "documents")


def _save(draft: Draft, path: str, text: str | None, version: int) -> Draft:
    """Keep a file under a path that may be one."""
    return drafts.save(current_tenant(), draft, me(), clean_path(path), text, version=version)


def _number(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        return 0


def _outdated(outdated: Outdated) -> Any:
    """Another window has saved the file: the page offers its text beside the one in hand."""
    change = outdated.change
    message = _("This file was changed in another window meanwhile.")
    there = {"text": change.text, "version": change.version} if change else {"text": None, "version": 0}
    return jsonify(message=message, is_gone=change is None, **there), 409
