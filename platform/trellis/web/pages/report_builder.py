"""The report builder: from choices to a report that is shown at once, saved for oneself or shared, and is YAML."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flask import abort, make_response, redirect, render_template, request
from flask_appbuilder import expose
from flask_babel import gettext as _
from werkzeug import Response

from trellis.config.problem import Problem
from trellis.model.reports.report import Report
from trellis.records.refusal import Refused
from trellis.records.store import Store
from trellis.reports.asking import Wishes
from trellis.reports.own import rows
from trellis.reports.own.compiled import own_report
from trellis.reports.own.rows import Saved
from trellis.reports.result import Answer
from trellis.reports.run import report_of, run
from trellis.reports.seen import is_seen
from trellis.web.context import current_store
from trellis.web.faults import fault_text
from trellis.web.flashes import toast
from trellis.web.formulas import phrase_words
from trellis.web.guard import needs
from trellis.web.i18n import say
from trellis.web.lists.desk import open_desk
from trellis.web.pages.base import Page
from trellis.web.pages.reports import chart_labels
from trellis.web.pages.saved_views import read_query
from trellis.web.reports.building.beginning import begin_with, meets
from trellis.web.reports.building.document import can_build, document, draft_of, plain, read_document
from trellis.web.reports.building.draft import FORMULA, MOST, NEW_MEASURES, OVER, Draft, begun, read_draft
from trellis.web.reports.building.offers import ADDED, Choice, Offers, charts_of, offers_of, words
from trellis.web.reports.building.parts import Made
from trellis.web.reports.charts import chart_data
from trellis.web.reports.links import Drill, report_address
from trellis.web.reports.read import tell_of_records
from trellis.web.reports.table import table_of
from trellis.web.reports.variants import shareable_roles
from trellis.web.reports.words import Words

SHOWN = 50  # records of a preview
MISSING = re.compile(r"'(\w+)' is missing")


@dataclass(frozen=True)
class Tried:
    """A draft as a document, compiled with the eyes of who builds it; what is wrong stands at its controls."""

    made: Made
    report: Report | None
    faults: Mapping[str, str] = field(default_factory=dict)  # by control
    others: Sequence[str] = ()


class ReportBuilderView(Page):
    """`/reports/new`, `/reports/<key>/copy`, `/reports/<key>/edit`, and the builder's fragments."""

    @expose("/reports/new")  # type: ignore[untyped-decorator]
    @needs("reports")
    def new(self) -> Response:
        """A new report."""
        store, wanted = current_store(), request.args.get("entity", "")
        entities = [key for key, _label in offers_of(store, "").entities]
        entity = wanted if wanted in entities else next((e for e in ("deal", "lead") if e in entities), "")
        return self._page(store, begin_with(store, _open(store, begun(entity or (entities[0] if entities else "")))))

    @expose("/reports/<key>/copy")  # type: ignore[untyped-decorator]
    @needs("reports")
    def copy(self, key: str) -> Response:
        """A new report that begins as another one is."""
        store = current_store()
        data = _document_of(store, key)
        if not data or not can_build(data):
            abort(404)
        label = _("%(label)s (copy)", label=_label_of(store, key))
        return self._page(store, draft_of(data, str(label)))

    @expose("/reports/<key>/edit")  # type: ignore[untyped-decorator]
    @needs("reports")
    def edit(self, key: str) -> Response:
        """One of the person's own, also one that the configuration has outgrown."""
        store = current_store()
        saved = _own(store, key)
        data = read_document(saved.yaml)
        if not can_build(data):
            abort(404)
        share = "" if not saved.is_shared else "all" if saved.roles is None else "roles"
        return self._page(store, replace(draft_of(data, saved.label), share=share, roles=saved.roles or ()), saved)

    @expose("/reports/new", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("reports")
    def create(self) -> Response:
        """Saves a new report, or says what is wrong with it."""
        return self._save(current_store(), None)

    @expose("/reports/<key>/edit", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("reports")
    def update(self, key: str) -> Response:
        """Saves one of the person's own."""
        store = current_store()
        return self._save(store, _own(store, key))

    @expose("/reports/build", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("reports")
    def build(self) -> str:
        """The controls drawn again: a row more or less, another entity or kind."""
        store = current_store()
        draft = _open(store, read_draft(request.form))
        if request.form.get("do") in ("entity", "kind", "event", "target", "add group"):
            draft = begin_with(store, draft)
        return render_template("_builder.html", **_controls(store, draft))

    @expose("/reports/preview", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("reports")
    def preview(self) -> Response:
        """What the report shows, its document, and what is wrong with it at which control."""
        store = current_store()
        draft = _open(store, read_draft(request.form))
        return make_response(render_template("_builder_preview.html", **_preview(store, draft)))

    @expose("/reports/<key>/delete", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("reports")
    def delete(self, key: str) -> Response:
        """Deletes one of the person's own reports."""
        store = current_store()
        saved = _own(store, key)
        rows.delete(store, saved.id)
        toast(_("Report deleted: %(label)s", label=saved.label))
        return redirect(report_address("").rstrip("/") + "/", 303)

    @expose("/reports/<key>/unshare", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("admin")
    def unshare(self, key: str) -> Response:
        """An administrator takes a shared report back; its owner keeps it."""
        store = current_store()
        rows.unshare(store, _found(store, key).id)
        toast(_("It is not shared any more."))
        return redirect(report_address("").rstrip("/") + "/", 303)

    @expose("/reports/<key>.yaml")  # type: ignore[untyped-decorator]
    @needs("reports")
    def document(self, key: str) -> Response:
        """The document of a report that somebody has built, for an administrator to adopt."""
        store = current_store()
        saved = _found(store, key)
        report = own_report(store, key)
        if report is None or not is_seen(store, report):
            abort(404)
        response = make_response(saved.yaml)
        response.headers["Content-Type"] = "application/yaml; charset=utf-8"
        name = str(read_document(saved.yaml).get("report") or "report")
        response.headers.set("Content-Disposition", "attachment", filename=f"{name}.yaml")
        return response

    def _page(self, store: Store, draft: Draft, saved: Saved | None = None, status: int = 200, **more: Any) -> Response:
        places = _controls(store, _open(store, draft))
        return self.draw("report_builder.html", status=status, saved=saved, **{**places, **more})

    def _save(self, store: Store, saved: Saved | None) -> Response:
        draft = _open(store, read_draft(request.form))
        tried = _tried(store, draft)
        faults = dict(tried.faults)
        if not draft.label:
            faults["label"] = str(_("It needs a name."))
        if faults or tried.report is None:
            return self._page(store, draft, saved, 422, faults=faults, others=tried.others)
        shared = draft.share == "all" or (draft.share == "roles" and bool(draft.roles))
        roles = list(draft.roles) if draft.share == "roles" else None
        definition = {"yaml": tried.made.yaml}
        try:
            if saved is None:
                saved = rows.save(store, draft.label, definition, shared=shared, roles=roles)
            else:
                values = {"label": draft.label, "definition": definition, "shared": shared, "roles": roles}
                saved = rows.change(store, saved.id, **values)
        except Refused as refused:
            said = {f.field or "label": fault_text(f) for f in refused.faults}
            return self._page(store, draft, saved, 422, faults=said)
        toast(_("Saved: %(label)s", label=saved.label))
        return redirect(report_address(saved.key), 303)


def _open(store: Store, draft: Draft) -> Draft:
    """The draft over an entity that the person may read; another one is as if it were not there."""
    if draft.entity not in (key for key, _label in offers_of(store, "").entities):
        abort(404)
    return draft


def _found(store: Store, key: str) -> Saved:
    saved = rows.saved_by(store, rows.id_of(key))
    if saved is None or saved.base is not None:
        abort(404)
    return saved


def _own(store: Store, key: str) -> Saved:
    saved = _found(store, key)
    if not saved.is_mine:
        abort(403)
    return saved


def _document_of(store: Store, key: str) -> dict[str, Any]:
    """What a report says, where nothing in it is kept from this person."""
    report = report_of(store, key)
    if not is_seen(store, report):
        abort(404)
    if report.is_own:
        return read_document(_found(store, key).yaml)
    bench = store.tenant.model.bench
    data = bench.document(key) if bench is not None else None
    return {k: v for k, v in plain(data or {}).items() if k not in NOT_COPIED}


NOT_COPIED = ("roles", "mail", "snapshot")  # who sees it and who gets it is said anew


def _label_of(store: Store, key: str) -> str:
    return str(say(report_of(store, key).label))


def _tried(store: Store, draft: Draft) -> Tried:
    """The draft compiled by the code of the configuration's reports, with names that this person may know."""
    made = document(draft, offers_of(store, draft.entity).labels)
    bench = store.tenant.model.bench
    assert bench is not None
    built = bench.compile(made.yaml, "my-draft", store.session.permit.conceals)
    faults: dict[str, str] = {}
    others: list[str] = []
    for problem in built.problems if built.report is None else ():
        control = made.control(problem.path)
        if not control and (lacking := MISSING.match(problem.message)) and lacking[1] in made.places:
            faults.setdefault(made.places[lacking[1]], str(_("This is needed: choose one.")))
        elif problem.is_error and control:
            faults.setdefault(control, problem_text(problem))
        elif problem.is_error:
            others.append(problem_text(problem))
    return Tried(made, built.report, faults, others)


def problem_text(problem: Problem) -> str:
    """What the compiler says, in the reader's language where it can."""
    said, hint = phrase_words(problem.message), phrase_words(problem.hint)
    return str(_("%(fault)s (%(hint)s)", fault=said, hint=hint)) if hint else said


def _controls(store: Store, draft: Draft) -> dict[str, Any]:
    """What the page's controls are drawn with."""
    offers = offers_of(store, draft.entity)
    desk = open_desk(draft.entity, read_query(draft.state))
    keys = list(document(draft, offers.labels).data.get("measures", {}))
    return {
        "draft": draft,
        "offers": offers,
        "desk": desk,
        "list_state": desk.state,
        "base": desk.base,
        "words": words(),
        "kinds": offers.kinds() if draft.kind in offers.kinds() else [*offers.kinds(), draft.kind],
        "measures_asked": draft.kind in NEW_MEASURES,
        "meeting": _meeting(offers, draft),
        "ends_in_person": _ends_in_person(offers, draft),
        "charts": charts_of(draft.kind),
        "chart_labels": chart_labels(),
        "measure_keys": keys,
        "FORMULA": FORMULA,
        "OVER": OVER,
        "MOST": MOST,
        "ADDED": ADDED,
        "faults": {},
        "others": (),
        "can_share": not store.session.permit.is_portal,
        "roles_known": shareable_roles(store),
    }


def _meeting(offers: Offers, draft: Draft) -> list[tuple[str, list[Choice]]]:
    """For each group, the fields of a target that can hold it."""
    known = {f.path: f for f in offers.fields}
    own = offers.targets.get(draft.target, ())
    found = []
    for row in draft.groups:
        field = known.get(row.path)
        found.append((field.label if field else row.formula, [f for f in own if field is None or meets(f, field)]))
    return found


def _ends_in_person(offers: Offers, draft: Draft) -> bool:
    """Whether the last group is a person, whose numbers can go up to their managers."""
    people = {f.path for f in offers.fields if f.entities == ("user",)}
    return bool(draft.groups) and draft.groups[-1].path in people


def _preview(store: Store, draft: Draft) -> dict[str, Any]:
    tried = _tried(store, draft)
    answer: Answer | None = None
    others = list(tried.others)
    if tried.report is not None:
        try:
            answer = run(store, tried.report, {}, Wishes(limit=SHOWN))
        except Refused as refused:
            others += [fault_text(f) for f in refused.faults]
    shown: dict[str, Any] = {"table": None, "chart": None, "answer": answer}
    if answer is not None:
        tell_of_records(answer, "list")
        written = Words(store.principal.reader)
        drill = Drill(replace(answer, can_drill=False), "")
        shown |= {"table": table_of(answer, written, drill), "chart": chart_data(answer, written, drill)}
    return {"yaml": tried.made.yaml, "faults": tried.faults, "others": others, "report": tried.report, **shown}
