"""From a draft to a revision: what it will do, in words; the reason; the result."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, abort, jsonify, redirect, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.config.layer import Layer
from trellis.storage.apply import ApplyRefused, PlanOutdated
from trellis.storage.catalogue import BrokenConfiguration
from trellis.storage.followups import pending
from trellis.storage.plan import Plan
from trellis.studio import draft as drafts
from trellis.studio import planning
from trellis.studio.asking import me, my_draft, the_catalogue, who
from trellis.studio.checking import check, is_sound
from trellis.studio.differences import compare
from trellis.studio.draft import Draft, Outdated
from trellis.studio.merging import conflicts, merge, settle
from trellis.studio.publishing import LOCKED_OUT, Publishing, ask, cancel, locks_out, publishing_of
from trellis.studio.state import problem_json
from trellis.studio.words import step_words
from trellis.web.context import current_person, current_tenant
from trellis.web.faults import fault_text
from trellis.web.flashes import toast
from trellis.web.guard import needs
from trellis.web.pages.base import Page

LONGEST_REASON = 500


class PublishView(Page):
    """`/admin/configuration/publish`, and what comes before and after it."""

    @expose("/admin/configuration/publish", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    @needs("admin")
    def publish(self) -> Any:
        """The plan of one's draft; with POST it is carried out."""
        draft = my_draft()
        if draft.is_empty:
            return self.draw("studio/nothing.html", tenant=current_tenant())
        if draft.stale:
            return redirect(url_for("PublishView.merge"))
        problems = check(draft.layers, draft.slug)[1]
        if not is_sound(problems):
            told = [problem_json(p, draft) for p in problems if p.is_error]
            return self.draw("studio/broken.html", problems=told)
        try:
            planned = planning.plan_layers(the_catalogue(), draft.slug, draft.layers)
        except BrokenConfiguration as broken:
            told = [problem_json(p, draft) for p in broken.problems if p.is_error]
            return self.draw("studio/broken.html", problems=told)
        if request.method == "GET":
            return self._shown(planned, draft)
        answer = carry_out(planned)
        if isinstance(answer, str):
            return self._shown(planned, draft, answer)
        if isinstance(answer, int):
            drafts.close(current_tenant(), draft, me())
        return redirect(outcome(answer))

    def _shown(self, planned: Plan, draft: Draft, refusal: str = "") -> Response:
        return self.draw(
            "studio/publish.html",
            status=422 if refusal else 200,
            files=compare([_plain(draft.live.layers)], [_plain(draft.layers)]),
            back=url_for("EditorView.edit"),
            **plan_values(planned, refusal),
        )

    @expose("/admin/configuration/merge", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    @needs("admin")
    def merge(self) -> Any:
        """What a colleague has published meanwhile and this draft changes too, brought together."""
        draft = my_draft()
        merged = [(c, merge(c.base, c.text, draft.live_files.get(c.path))) for c in draft.stale]
        if request.method == "GET":
            if not merged:
                return redirect(url_for("EditorView.edit"))
            since = min(c.revision for c, _parts in merged)
            later = [r for r in the_catalogue().revisions(draft.slug) if r.number > since]
            shown = [(c, parts, conflicts(parts)) for c, parts in merged]
            return self.draw("studio/merge.html", merged=shown, revisions=later)
        for file, (change, parts) in enumerate(merged):
            live = draft.live_files.get(change.path)
            choices = {n: request.form.get(f"f{file}.{n}", "mine") for n in range(conflicts(parts))}
            whole = change.text is None or live is None
            text = (live if choices.get(0) == "theirs" else change.text) if whole else settle(parts, choices)
            try:
                drafts.rebase(current_tenant(), me(), change, text, live, draft.live.number)
            except Outdated:
                continue  # saved by another window at this moment: it is asked about again
        return redirect(url_for("PublishView.publish"))

    @expose("/admin/configuration/published/<int:number>")  # type: ignore[untyped-decorator]
    @needs("admin")
    def done(self, number: int) -> Response:
        """What has become of it."""
        try:
            revision = the_catalogue().revision(current_tenant().slug, number)
        except LookupError:
            return redirect(url_for("ConfigurationView.overview"))  # type: ignore[return-value]
        return self.draw("studio/published.html", revision=revision, at_work=_at_work())

    @expose("/admin/configuration/publishing/<uuid:id>")  # type: ignore[untyped-decorator]
    @needs("admin")
    def publishing(self, id: UUID) -> Any:
        """One that a worker does: that it waits or runs, or why nothing came of it."""
        found = publishing_of(current_tenant(), id)
        if found is None:
            abort(404)
        if found.state == "done" and found.number is not None:
            return redirect(url_for("PublishView.done", number=found.number))
        return self.draw("studio/publishing.html", publishing=found, reason=_reason(found))

    @expose("/admin/configuration/publishing/<uuid:id>/state")  # type: ignore[untyped-decorator]
    @needs("admin")
    def publishing_state(self, id: UUID) -> Response:
        """For the page that waits: whether it is to be drawn anew."""
        found = publishing_of(current_tenant(), id)
        return jsonify(state=found.state if found is not None else "gone")

    @expose("/admin/configuration/publishing/<uuid:id>/cancel", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("admin")
    def cancel(self, id: UUID) -> Any:
        """Call off one that has not begun."""
        done = cancel(current_tenant(), id)
        toast(_("Called off: nothing was published.") if done else _("It is at work already and cannot be called off."))
        return redirect(url_for("PublishView.publishing", id=id))

    @expose("/admin/configuration/progress")  # type: ignore[untyped-decorator]
    @needs("admin")
    def progress(self) -> Response:
        """Whether the work on old records goes on."""
        return jsonify(at_work=_at_work())


def carry_out(planned: Plan, back_to: int | None = None) -> int | Publishing | str:
    """Apply a plan as the form says: the new revision's number, what a worker does of it, or in words why not."""
    why = request.form.get("why", "").strip()[:LONGEST_REASON]
    if not why:
        return str(_("Say why: colleagues read it among the revisions."))
    if planned.failing:
        return str(_("Some rows do not fit what this asks for. Correct them first; nothing was published."))
    if request.form.get("seal") != planning.seal(planned):
        return str(_("What would happen has changed since you looked at it. Look again, then publish."))
    person = current_person()
    if person is not None and locks_out(planned, person):
        return fault_text(LOCKED_OUT)
    if planning.lost_rows(planned) and request.form.get("confirm", "").strip() != current_tenant().slug:
        return str(_("This destroys data. Type %(word)s to say that you mean it.", word=current_tenant().slug))
    if planning.takes_long(planned):
        return ask(planned, me(), who(), why, back_to)
    try:
        applied = planning.publish(the_catalogue(), planned, who(), why, allow_destroy=bool(planned.destroys))
    except PlanOutdated:
        return str(_("Somebody has published something at this moment. Look again, then publish."))
    except ApplyRefused as refused:
        return str(_("It was refused, and nothing was changed: %(reason)s", reason=str(refused)))
    return applied.revision


def outcome(answer: int | Publishing) -> str:
    """The page that tells what has become of it."""
    if isinstance(answer, int):
        return url_for("PublishView.done", number=answer)
    return url_for("PublishView.publishing", id=answer.id)


def _reason(found: Publishing) -> str:
    return fault_text(found.reason) if found.reason is not None else ""


def plan_values(planned: Plan, refusal: str = "") -> dict[str, Any]:
    """What the page of a plan shows."""
    steps = [step_words(s, planned) for s in planned.steps]
    return {
        "plan": planned,
        "steps": [s for s in steps if not (s["destroys"] and s["rows"]) and not s["failing"]],
        "failing": [s for s in steps if s["failing"]],
        "destroys": [s for s in steps if s["destroys"] and s["rows"]],
        "lost": planning.lost_rows(planned),
        "seal": planning.seal(planned),
        "refusal": refusal,
        "why": request.form.get("why", ""),
        "word": current_tenant().slug,
    }


def _plain(layers: Any) -> Layer:
    own = layers[-1] if layers else Layer("", {})
    return Layer(own.name, own.files, own.folder)


def _at_work() -> bool:
    return current_tenant().slug in pending(the_catalogue())
