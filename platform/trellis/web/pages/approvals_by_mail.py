"""Deciding from a letter: the link opens a page that shows what is asked, and only its buttons decide.

Nobody has to be signed in: whoever holds the link is whom the letter was written to. It works once, while it is asked.
"""

from __future__ import annotations

from typing import Any

from flask import Response, abort, request
from flask_appbuilder import expose

from trellis.automation.clock import now
from trellis.automation.workflows import approvals
from trellis.automation.workflows.run import workflows_of
from trellis.identity.people import names_of
from trellis.records.refusal import Refused
from trellis.web.context import current_tenant
from trellis.web.faults import refusal_text
from trellis.web.pages.approvals import DECIDED, done_words, forms_of
from trellis.web.pages.base import Page


class ApprovalsByMailView(Page):
    """`/approvals/by-mail/<secret>`."""

    @expose("/approvals/by-mail/<secret>", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    def confirm(self, secret: str) -> Any:
        """What is asked; POST decides. A letter's preview, which only looks, decides nothing."""
        tenant = current_tenant()
        with tenant.begin() as connection:
            row = approvals.by_link(connection, tenant, secret, now())
            asks_more = row is not None and bool(
                forms_of([row], workflows_of(connection, tenant, {row["run"]})).get(row["id"])
            )
        if row is None:
            return self._page(status=404 if request.method == "GET" else 409)
        if request.method == "GET":
            return self._page(row, asks_more=asks_more)
        what: Any = request.form.get("_outcome", "")
        if what not in DECIDED or (what == "approved" and asks_more):
            abort(400)
        comment = request.form.get("_comment", "").strip()[:2000]
        try:
            with tenant.begin() as connection:
                approvals.decide(connection, tenant, row["id"], row["user"], what, comment=comment)
        except approvals.NotAsked:
            return self._page(status=409)
        except Refused as refused:
            text = refusal_text(refused)
            return self._page(row, asks_more=asks_more, wrong=text, comment=comment, status=422)
        return self._page(done=done_words()[what])

    def _page(self, row: Any = None, *, status: int = 200, **more: Any) -> Response:
        tenant = current_tenant()
        by = names_of(tenant, [row["asked_by"]]).get(row["asked_by"], "") if row and row["asked_by"] else ""
        shown = {"asks_more": False, "wrong": "", "comment": "", "done": "", **more}
        response = self.draw("account/decide.html", row=row, by=by, status=status, **shown)
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Robots-Tag"] = "noindex"
        return response
