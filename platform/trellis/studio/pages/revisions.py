"""Every revision: who, when, why; what differs between any two; and the way back to one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Response, abort, redirect, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.storage.catalogue import BrokenConfiguration
from trellis.storage.plan import plan_revision
from trellis.studio.asking import my_draft, the_catalogue
from trellis.studio.differences import compare
from trellis.studio.pages.publish import carry_out, outcome, plan_values
from trellis.studio.words import problem_words
from trellis.web.context import current_tenant
from trellis.web.guard import needs
from trellis.web.pages.base import Page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trellis.config.layer import Layer
    from trellis.storage.catalogue import Revision

DRAFT = "draft"


class RevisionsView(Page):
    """`/admin/configuration/revisions`."""

    @expose("/admin/configuration/revisions")  # type: ignore[untyped-decorator]
    @needs("admin")
    def revisions(self) -> Response:
        """All of them, the newest first."""
        revisions = list(the_catalogue().revisions(current_tenant().slug))
        return self.draw("studio/revisions.html", revisions=revisions, live=revisions[0].number if revisions else 0)

    @expose("/admin/configuration/compare")  # type: ignore[untyped-decorator]
    @needs("admin")
    def compare(self) -> Response:
        """`?from=` and `?to=`: numbers of revisions, or `draft`. Without: what the live one has changed."""
        revisions = list(the_catalogue().revisions(current_tenant().slug))
        newest = revisions[0].number if revisions else 0
        after = request.args.get("to") or str(newest)
        before = request.args.get("from") or str(max(1, (newest + 1 if after == DRAFT else _number(after)) - 1))
        return self.draw(
            "studio/compare.html",
            files=compare(_layers(before), _layers(after)),
            before=before,
            after=after,
            revisions=revisions,
            has_draft=not my_draft().is_empty,
        )

    @expose("/admin/configuration/back/<int:number>", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    @needs("admin")
    def back(self, number: int) -> Any:
        """Go back to a revision: the same plan, the same care."""
        live = the_catalogue().entry(current_tenant().slug).revision
        revision = _revision(number)
        if number == live:
            return redirect(url_for("RevisionsView.revisions"))
        try:
            planned = plan_revision(the_catalogue(), current_tenant().slug, number)
        except BrokenConfiguration as broken:
            told = [(p, *problem_words(p)) for p in broken.problems if p.is_error]
            return self.draw("studio/outgrown.html", revision=revision, problems=told)
        if request.method == "GET":
            return self._shown(planned, revision)
        answer = carry_out(planned, number)
        if isinstance(answer, str):
            return self._shown(planned, revision, answer)
        return redirect(outcome(answer))

    def _shown(self, planned: Any, revision: Revision, refusal: str = "") -> Response:
        values = plan_values(planned, refusal)
        values["why"] = values["why"] or _("Back to revision %(number)s", number=revision.number)
        live = the_catalogue().revision(planned.tenant.slug, planned.tenant.revision)
        return self.draw(
            "studio/publish.html",
            status=422 if refusal else 200,
            revision=revision,
            files=compare(live.layers, revision.layers),
            back=url_for("RevisionsView.revisions"),
            **values,
        )


def _revision(number: int) -> Revision:
    try:
        return the_catalogue().revision(current_tenant().slug, number)
    except LookupError:
        abort(404)


def _layers(which: str) -> Sequence[Layer]:
    if which == DRAFT:
        return my_draft().layers
    return _revision(_number(which)).layers


def _number(which: str) -> int:
    if not which.isdecimal() or len(which) > 9:
        abort(404)
    return int(which)
