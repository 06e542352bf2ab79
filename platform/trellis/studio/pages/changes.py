"""Changes without YAML: a form for each of the commonest, which shows the lines that it will write."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, redirect, render_template, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.studio import draft as drafts
from trellis.studio.asking import me, my_draft
from trellis.studio.changes import kinds
from trellis.studio.changes.registry import CHANGES, Change, Desk, Mistaken
from trellis.studio.checking import check
from trellis.studio.differences import FileDifference, compare
from trellis.studio.draft import Draft, Outdated
from trellis.studio.own import BadPath, own_layer, with_files
from trellis.studio.state import problem_json
from trellis.studio.writing import CannotWrite
from trellis.web.context import current_model, current_tenant
from trellis.web.flashes import toast
from trellis.web.guard import needs
from trellis.web.pages.base import Page


class ChangesView(Page):
    """`/admin/configuration/change`."""

    @expose("/admin/configuration/change")  # type: ignore[untyped-decorator]
    @needs("admin")
    def gallery(self) -> Response:
        """What can be changed by a form."""
        return self.draw("studio/gallery.html", changes=[CHANGES[key] for key in kinds()])

    @expose("/admin/configuration/change/<key>", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    @needs("admin")
    def change(self, key: str) -> Any:
        """One form; POST puts what it writes into the draft, `_preview` only shows it."""
        if key not in kinds():
            abort(404)
        draft = my_draft()
        form = CHANGES[key](_desk(draft))
        if request.method == "GET":
            return self._asked(form, draft)
        try:
            files = form.write(request.form).files(draft.files)
        except Mistaken as mistaken:
            return self._asked(form, draft, mistaken.faults)
        except CannotWrite as error:
            return self._asked(form, draft, {"": _(error.message, **error.params)})
        changed: dict[str, str | None] = {
            p: files.get(p) for p in {*files, *draft.files} if files.get(p) != draft.files.get(p)
        }
        if "_preview" in request.form:
            return self._previewed(draft, files)
        if not changed:
            return self._asked(form, draft, {"": _("That is how it is already.")})
        try:
            drafts.save_all(current_tenant(), draft, me(), changed)
        except BadPath as bad:
            return self._asked(form, draft, {"": _(str(bad))})
        except Outdated:
            return self._asked(form, draft, {"": _("A file was changed in another window meanwhile. Press again.")})
        toast(
            _("It is in your draft; nobody sees it yet."),
            link={"url": url_for("PublishView.publish"), "label": _("Review and publish")},
        )
        return redirect(url_for("ConfigurationView.overview"))

    def _asked(self, form: Change, draft: Draft, faults: dict[str, str] | None = None) -> Any:
        if "_preview" in request.form:
            said = (faults or {}).get("") or ""
            return render_template("studio/_yaml.html", files=[], problems=[], said=said)
        given = request.form if request.method == "POST" else request.args
        return self.draw(
            f"studio/changes/{form.template}.html",
            status=422 if faults else 200,
            change=form,
            given=given,
            faults=faults or {},
            **form.ask(given),
        )

    def _previewed(self, draft: Draft, files: dict[str, str]) -> str:
        after = with_files(draft.live.layers, draft.slug, files)
        problems = [problem_json(p, draft) for p in check(after, draft.slug)[1] if p.is_error]
        return render_template("studio/_yaml.html", files=_own_difference(draft, after), problems=problems[:5], said="")


def _desk(draft: Draft) -> Desk:
    compiled = check(draft.layers, draft.slug)[0]
    model = compiled.model or current_model()
    languages = tuple(x for x in model.languages if x != "en")
    return Desk(draft, model, compiled.configuration, languages)


def _own_difference(draft: Draft, after: Any) -> list[FileDifference]:
    return compare([own_layer(draft.layers, draft.slug)], [own_layer(after, draft.slug)])
