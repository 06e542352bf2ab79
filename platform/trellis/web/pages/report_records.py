"""The records behind a number of a report over several entities: how many there are of each, and where they are."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, abort, request
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.formula.errors import FormulaError
from trellis.model.text import Text
from trellis.records.refusal import Refused
from trellis.reports.run import report_of
from trellis.reports.unions import open_branches, records_of
from trellis.web.context import current_store
from trellis.web.guard import needs
from trellis.web.pages.base import Page
from trellis.web.reports.links import LONGEST, list_address, report_address
from trellis.web.security import safe_address


@dataclass(frozen=True)
class Part:
    """The records of one entity."""

    label: Text
    icon: str
    count: int
    href: str


class ReportRecordsView(Page):
    """`/reports/<key>/records`."""

    @expose("/reports/<key>/records")  # type: ignore[untyped-decorator]
    @needs("reports")
    def show(self, key: str) -> Response:
        """How many records of each entity fit, each number with the way to its list."""
        store, where = current_store(), request.args.get("where", "").strip()
        report = report_of(store, key)
        if not report.union or len(where) > LONGEST:
            abort(404)
        given = safe_address(request.args.get("report"))
        back = given if given and given.startswith(f"{request.script_root}/reports/") else report_address(key)
        parts, wrong = [], ""
        for branch in open_branches(store, report):
            entity = store.tenant.model.entities[branch.entity]
            try:
                text = records_of(branch, (where,))
                count = store.count(branch.entity, where=(text,) if text else (), cap=None).n
            except (Refused, FormulaError):
                wrong = _("This address asks for something that the report does not know.")
                break
            if count:
                parts.append(Part(entity.plural, entity.icon, count, list_address(branch.entity, text, back)))
        total = sum(part.count for part in parts)
        places = {"report": report, "parts": [] if wrong else parts, "total": total, "back": back, "wrong": wrong}
        return self.draw("report_records.html", status=422 if wrong else 200, **places)
