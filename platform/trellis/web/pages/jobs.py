"""The queue for administrators: how much waits, and what was given up, to be tried once more or thrown away."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, redirect, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _
from flask_babel import ngettext

from trellis.automation import state
from trellis.web.context import current_tenant, serving
from trellis.web.flashes import toast
from trellis.web.guard import needs
from trellis.web.pages.base import Page

MOST = 200  # dead letters of a page


class JobsView(Page):
    """`/admin/jobs`."""

    @expose("/admin/jobs")  # type: ignore[untyped-decorator]
    @needs("admin")
    def jobs(self) -> Response:
        """How much waits, and the latest dead letters with their reasons."""
        tenant = current_tenant()
        depth, letters = state.depth(tenant), state.dead_letters(tenant, MOST)
        shown = [(letter, json.dumps(letter.payload, indent=1, ensure_ascii=False)) for letter in letters]
        return self.draw(
            "jobs.html",
            depth=depth,
            letters=shown,
            more=max(0, depth.dead - len(letters)),
            nobody_works=serving().catalogue is not None and not state.workers(tenant.database),
        )

    @expose("/admin/jobs/retry", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("admin")
    def retry(self) -> Any:
        """Try one dead letter once more, or all of them."""
        count = state.revive(current_tenant(), _ids())
        toast(ngettext("%(num)d job is tried again.", "%(num)d jobs are tried again.", count))
        return redirect(url_for("JobsView.jobs"))

    @expose("/admin/jobs/discard", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("admin")
    def discard(self) -> Any:
        """Throw one dead letter away, or all of them."""
        state.discard(current_tenant(), _ids())
        toast(_("Thrown away."))
        return redirect(url_for("JobsView.jobs"))


def _ids() -> list[int] | None:
    """The one that is meant; all of them when that is said."""
    if request.form.get("all") == "1":
        return None
    one = request.form.get("id", type=int)
    return [] if one is None else [one]
