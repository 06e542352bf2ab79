"""Public forms: a page that anybody may fill in, on its own or in another site's frame, and the same for programs."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import structlog
from flask import Response, abort, jsonify, make_response, redirect, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.automation.forms import entries, looking
from trellis.automation.forms.entries import NothingToConfirm, Sent
from trellis.automation.forms.form import Form, forms_of, read
from trellis.automation.mail.account import is_set_up
from trellis.automation.workflows.acting import system_of
from trellis.formula.reader import Reader
from trellis.identity.person import reader_for
from trellis.model.markup import render_markdown
from trellis.records.refusal import Fault, Refused
from trellis.records.store import Store
from trellis.records.writing.files import save_file
from trellis.web.context import current_language, current_tenant, serving
from trellis.web.faults import fault_text
from trellis.web.links_to import base_for_letters
from trellis.web.pages.base import Page
from trellis.web.pages.files import store_root
from trellis.web.public.controls import KINDS, controls_of, options_of, typed_into
from trellis.web.public.tokens import Ticket, new_ticket, read_ticket, write_ticket
from trellis.web.security import POLICY, csrf

TRAP = "extra_note"  # nobody sees this field: who fills it in is a machine
LARGEST = 20 * 2**20
log = structlog.get_logger()


class WebFormsView(Page):
    """`/forms/<key>…`: nobody is signed in here, and nothing depends on a cookie."""

    @expose("/forms/<key>", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    def form(self, key: str) -> Any:
        """The form; POST takes it."""
        form = _form_or_404(key)
        if request.method == "GET":
            return self._page(form, new_ticket(_source(request.args, request.referrer)))
        request.max_content_length = LARGEST
        ticket, typed = read_ticket(key, request.form.get("ticket")), typed_into(form)
        if ticket is None or ticket.is_over:
            text = _("This page lay open for a long time. Nothing is lost: send it once more.")
            return self._page(form, new_ticket({}), typed, general=[text], status=422)
        if _is_too_much():
            text = _("Too much came from your network. Wait a few minutes, then send it once more.")
            return self._page(form, ticket, typed, general=[text], status=429)
        is_trapped = bool(request.form.get(TRAP))
        faults = [] if is_trapped else _keep_files(form, typed)
        values, wrong = read(form, typed, _reader())
        faults += wrong
        if is_trapped or (ticket.is_hasty and not faults):
            entries.lay_aside(current_tenant(), form, _sent(ticket, values))
            return self._done(form)
        if not faults:
            try:
                return self._done(form, _take(form, ticket, values))
            except Refused as refused:
                faults = list(refused.faults)
        by_field = _by_field(form, faults)
        general = by_field.pop("", [])
        return self._page(form, ticket, typed, by_field, general, status=422)

    @expose("/forms/<key>/thanks")  # type: ignore[untyped-decorator]
    def thanks(self, key: str) -> Response:
        """It has arrived."""
        form = _form_or_404(key)
        return _framed(form, self.draw("public/thanks.html", form=form, waits=bool(form.trigger.confirm), again=True))

    @expose("/forms/<key>/confirm/<secret>", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    def confirm(self, key: str, secret: str) -> Response:
        """The link of the letter. Programs that look at letters open links; a person presses the button."""
        tenant = current_tenant()
        form = _form_or_404(key)
        try:
            if entries.waits(tenant, secret) != form.workflow.key:
                raise NothingToConfirm
            if request.method == "GET":
                return self.draw("public/confirm.html", form=form)
            entries.confirm(tenant, forms_of(tenant.model), secret)
        except NothingToConfirm:
            return self.draw("public/gone.html", status=410, form=form)
        return self.draw("public/thanks.html", form=form, waits=False, again=False)

    @expose("/forms/<key>/fields", methods=["GET", "OPTIONS"])  # type: ignore[untyped-decorator]
    def fields(self, key: str) -> Response:
        """What the form asks, for a page of one's own, with the ticket that it is sent in with."""
        form, reader = _form_or_404(key), _reader()
        if request.method == "OPTIONS":
            return _shared(form, Response(status=204))
        asked = [
            {
                "name": field.key,
                "label": form.label_of(field, reader.language),
                "type": KINDS.get(field.type.name, "text"),
                "required": form.is_required(field),
                **(
                    {"choices": [{"value": v, "label": w} for v, w in found]}
                    if (found := options_of(field, reader))
                    else {}
                ),
            }
            for field in form.fields
            if KINDS.get(field.type.name) != "file"
        ]
        ticket = write_ticket(key, new_ticket(_source(request.args, request.referrer)))
        label = form.trigger.label.in_language(reader.language)
        return _shared(form, jsonify({"form": key, "label": label, "fields": asked, "ticket": ticket}))

    @expose("/forms/<key>/entries", methods=["POST", "OPTIONS"])  # type: ignore[untyped-decorator]
    def entries(self, key: str) -> Response:
        """Takes the form as JSON: {"ticket": …, "values": {…}}."""
        form = _form_or_404(key)
        if request.method == "OPTIONS":
            return _shared(form, Response(status=204))
        sent = request.get_json(silent=True)
        raw = sent.get("values") if isinstance(sent, dict) else None
        if not isinstance(sent, dict) or not isinstance(raw, dict):
            return _problem(form, 400, _("Send JSON: a ticket, and the values by field."))
        ticket = read_ticket(key, sent.get("ticket"))
        if ticket is None or ticket.is_over:
            return _problem(form, 422, _("The ticket is missing, or too old. Ask for the fields once more."))
        if _is_too_much():
            return _problem(
                form, 429, _("Too much came from your network. Wait a few minutes, then send it once more.")
            )
        values, wrong = read(form, {k: v for k, v in raw.items() if k in form.trigger.fields}, _reader())
        if raw.get(TRAP) or (ticket.is_hasty and not wrong):
            entries.lay_aside(current_tenant(), form, _sent(ticket, values))
            return _received(form)
        if wrong:
            return _problem(form, 422, _("Some of it is wrong."), wrong)
        try:
            _take(form, ticket, values)
        except Refused as refused:
            return _problem(form, 422, _("Some of it is wrong."), list(refused.faults))
        return _received(form)

    def _page(
        self,
        form: Form,
        ticket: Ticket,
        typed: Mapping[str, Any] | None = None,
        wrong: Mapping[str, list[str]] | None = None,
        general: list[str] | None = None,
        status: int = 200,
    ) -> Response:
        reader = _reader()
        intro = form.trigger.intro.in_language(reader.language)
        page = self.draw(
            "public/form.html",
            status=status,
            form=form,
            ticket=write_ticket(form.key, ticket),
            controls=controls_of(form, reader, typed or {}, wrong or {}),
            general=general or [],
            intro=render_markdown(intro) if intro else "",
            button=form.trigger.button.in_language(reader.language),
            trap=TRAP,
            action=url_for("WebFormsView.form", key=form.key, **_said_language()),
            has_files=any(KINDS.get(f.type.name) == "file" for f in form.fields),
        )
        return _framed(form, page)

    def _done(self, form: Form, _state: str = "made") -> Response:
        """On to the thanks: the same for people, and for machines that are not to know that they were noticed."""
        if form.trigger.redirect:
            return _framed(form, make_response(redirect(form.trigger.redirect, 303)))
        address = url_for("WebFormsView.thanks", key=form.key, **_said_language())
        return _framed(form, make_response(redirect(address, 303)))


# nobody is signed in, and nothing here is done in the name of who is: there is nothing that a token could guard
for _name in ("form", "confirm", "entries"):
    csrf.exempt(f"{__name__}.{_name}")


def _form_or_404(key: str) -> Form:
    form = forms_of(current_tenant().model).get(key)
    if form is None:
        abort(404)
    if form.trigger.confirm and (not is_set_up(current_tenant()) or base_for_letters() is None):
        log.warning("a form asks for confirmed addresses, and no mail can go out", form=key)
        abort(503)
    return form


def _reader() -> Reader:
    """How a stranger's values are read: in the language of the page."""
    return reader_for(current_tenant(), language=current_language())


def _said_language() -> dict[str, Any]:
    return {"lang": request.args["lang"]} if "lang" in request.args else {}


def _take(form: Form, ticket: Ticket, values: Mapping[str, Any]) -> str:
    base = base_for_letters() or ""

    def link(secret: str) -> str:
        language = urlencode({"lang": current_language()})
        return f"{base}/forms/{form.key}/confirm/{secret}?{language}"

    return entries.take(current_tenant(), form, _sent(ticket, values), link)


def _sent(ticket: Ticket, values: Mapping[str, Any]) -> Sent:
    return Sent(ticket.id, values, current_language(), _sender(), ticket.source)


def _sender() -> str:
    """Who sends, as far as the limit needs it: nobody can read the network address out of it."""
    key = serving().settings.secret_for("forms", current_tenant().slug).encode()
    return hmac.new(key, (request.remote_addr or "").encode(), "sha256").hexdigest()[:32]


def _is_too_much() -> bool:
    tenant = current_tenant()
    with tenant.begin() as connection:
        return looking.is_too_much(connection, tenant, _sender())


def _source(said: Mapping[str, str], referrer: str | None) -> dict[str, str]:
    """Where a visitor came from: what the address says, and the page before."""
    found = {name: str(said[name]) for name in entries.SOURCES if said.get(name)}
    if referrer and not referrer.startswith(request.host_url):
        found.setdefault("referrer", referrer)
    return {name: text[: entries.LONGEST] for name, text in found.items()}


def _keep_files(form: Form, typed: dict[str, Any]) -> list[Fault]:
    """Keep the files that were chosen; what is wrong with them."""
    faults: list[Fault] = []
    tenant = current_tenant()
    store = Store(tenant, system_of(tenant))
    for field in form.fields:
        if KINDS.get(field.type.name) != "file":
            continue
        chosen = [one for one in request.files.getlist(field.key) if one.filename]
        try:
            kept = [
                save_file(store, store_root(), one.stream, str(one.filename), form.entity.key, field).as_value()
                for one in chosen[:10]
            ]
        except Refused as refused:
            faults += refused.faults
            continue
        held = [*typed[field.key], *kept]
        typed[field.key] = held if getattr(field.type, "multiple", False) else held[-1:]
    return faults


def _by_field(form: Form, faults: list[Fault]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for fault in faults:
        name = (fault.field or "").partition(".")[0]
        found.setdefault(name if name in form.trigger.fields else "", []).append(fault_text(fault, current_language()))
    return found


def _framed(form: Form, response: Response) -> Response:
    """Let the pages of the sites that the form names show it."""
    if form.trigger.embed:
        allowed = " ".join(("'self'", *form.trigger.embed))
        response.headers["Content-Security-Policy"] = POLICY.replace(
            "frame-ancestors 'none'", f"frame-ancestors {allowed}"
        )
    return response


def _shared(form: Form, response: Response) -> Response:
    """Let the scripts of those sites read the answer."""
    origin = request.headers.get("Origin", "")
    response.headers["Vary"] = "Origin, Accept-Language"
    if origin in form.trigger.embed or origin in current_tenant().profile.origins:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Methods"] = "GET, POST"
        response.headers["Access-Control-Allow-Headers"] = "Content-Type, Accept-Language"
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _received(form: Form) -> Response:
    text = form.trigger.thanks.in_language(current_language()) or _("Thank you. It has arrived.")
    response = jsonify({"state": "confirm" if form.trigger.confirm else "received", "message": text})
    response.status_code = 201
    return _shared(form, response)


def _problem(form: Form, status: int, title: str, faults: list[Fault] | None = None) -> Response:
    errors = [{"field": f.field, "code": f.code, "message": fault_text(f, current_language())} for f in faults or ()]
    response = jsonify({"type": "about:blank", "status": status, "title": title, "errors": errors})
    response.status_code, response.mimetype = status, "application/problem+json"
    return _shared(form, response)
