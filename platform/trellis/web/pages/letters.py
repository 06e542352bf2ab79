"""Writing a letter from a record's page: to whom, by a template or by hand; it is kept on the record's timeline."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from flask import Response, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.automation.mail import kept, optouts
from trellis.automation.mail.account import accounts_said, is_set_up
from trellis.automation.mail.attachments import files_in
from trellis.automation.mail.letter import Letter, in_look
from trellis.automation.mail.sending import Outgoing, account_named, send_out
from trellis.formula.env import Env
from trellis.formula.types import Ref
from trellis.model.automation.email import EmailTemplate
from trellis.records.graph import LiveRecord, StoreGraph
from trellis.records.record import Record
from trellis.records.refusal import Forbidden, Missing
from trellis.records.store import Store
from trellis.web.context import current_person, current_store, current_tenant
from trellis.web.flashes import toast
from trellis.web.guard import signed_in
from trellis.web.navigation import entity_address
from trellis.web.pages.base import Page
from trellis.web.pages.form import entity_or_404

_ADDRESS = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+\.[^\s@<>,;]+")
MOST = 20
PEOPLE = ("contact", "main_contact", "member", "lead")  # links to whom a letter about a record goes


@dataclass
class Draft:
    """What stands in the dialog, and what is wrong with it."""

    to: str = ""
    subject: str = ""
    body: str = ""
    template: str = ""
    account: str = ""
    reply: str = ""
    files: Sequence[str] = ()
    wrong: dict[str, str] = field(default_factory=dict)


class LettersView(Page):
    """`/e/<entity>/<id>/mail`."""

    @expose("/e/<entity>/<uuid:id>/mail", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def write(self, entity: str, id: UUID) -> Response:
        """The dialog, or the letter on its way."""
        store = current_store()
        entity_or_404(store, entity)
        record = store.read(entity, id)
        if not may_write(store):
            raise Forbidden(kept.ENTITY, "create")
        if request.method == "GET":
            return self._dialog(store, record, _prepared(store, record))
        draft = Draft(
            to=request.form.get("to", "").strip(),
            subject=request.form.get("subject", "").strip(),
            body=request.form.get("body", "").replace("\r\n", "\n").strip(),
            template=request.form.get("template", ""),
            account=request.form.get("account", ""),
            reply=request.form.get("reply", ""),
            files=request.form.getlist("file"),
        )
        if "_draw" in request.form:  # another template was chosen
            _fill(store, record, draft)
            return self._dialog(store, record, draft)
        addresses = _checked(store, record, draft)
        if draft.wrong:
            return self._dialog(store, record, draft, status=422)
        _send(store, record, draft, addresses)
        toast(_("The letter is on its way to %(names)s.", names=", ".join(addresses)))
        response = Response("")
        response.headers["HX-Redirect"] = entity_address(entity, id)
        return response

    def _dialog(self, store: Store, record: Record, draft: Draft, status: int = 200) -> Response:
        tenant, language = store.tenant, store.principal.reader.language
        return self.draw(
            "_letter.html",
            status=status,
            draft=draft,
            record=record,
            action=url_for("LettersView.write", entity=record.entity, id=record.id),
            templates=[(t.key, t.label.in_language(language)) for t in _templates(store, record.entity)],
            accounts=[(said.key, said.sender) for said in accounts_said(tenant)],
            files=list(_held(store, record)),
        )


def may_write(store: Store) -> bool:
    """Whether somebody may send letters: they are kept as records that they may make."""
    return kept.is_kept(store.tenant.model) and store.may("create", kept.ENTITY) and is_set_up(store.tenant)


def _prepared(store: Store, record: Record) -> Draft:
    draft = Draft(to=", ".join(dict.fromkeys(_known(store, record))))
    replied = _answered(store, request.args.get("reply", ""))
    if replied is not None:
        found = _ADDRESS.search(str(replied.get("sender") or ""))
        subject = str(replied.get("subject") or "")
        draft.reply = str(replied.id)
        draft.subject = subject if subject.lower().startswith("re:") else f"Re: {subject}"
        draft.to = (
            found[0] if found and replied.get("direction") == "in" else str(replied.get("recipients") or draft.to)
        )
    return draft


def _answered(store: Store, text: str) -> Record | None:
    """The letter that this one answers, if the person may read it."""
    try:
        return store.read(kept.ENTITY, UUID(text)) if text else None
    except (Missing, ValueError):
        return None


def _known(store: Store, record: Record) -> Iterator[str]:
    """The addresses of a record: its own, else those of whom it links to."""
    own = list(_own(store, record))
    yield from own
    if own:
        return
    readable = store.readable_fields(record.entity)
    for name in PEOPLE:
        ref = record.get(name) if name in readable else None
        if isinstance(ref, Ref):
            try:
                yield from _own(store, store.read(ref.entity, ref.id))
            except Missing:
                continue
            return


def _own(store: Store, record: Record) -> Iterator[str]:
    for name, definition in store.tenant.model.entities[record.entity].fields.items():
        if definition.type.name != "email" or definition.is_derived:
            continue
        value: Any = record.get(name)
        if isinstance(value, str):
            yield value
        for entry in value if isinstance(value, (list, tuple)) else ():
            if not entry.get("opted_out") and not entry.get("invalid"):
                yield str(entry["value"])
                break


def _templates(store: Store, entity: str) -> list[EmailTemplate]:
    found = (t for t in store.tenant.model.emails.values() if t.entity in (None, entity) and t.body is not None)
    return sorted(found, key=lambda t: t.label.in_language(store.principal.reader.language))


def _live(store: Store, record: Record) -> tuple[LiveRecord | None, Env]:
    graph = StoreGraph(store.session)
    live = graph.follow(Ref(record.entity, record.id))
    return live, Env(live, store.session.reader, graph, old=live, variables={"record": live, "old": live})


def _fill(store: Store, record: Record, draft: Draft) -> None:
    """The words of the template that was chosen, with what the person sees of the record."""
    template = next((t for t in _templates(store, record.entity) if t.key == draft.template), None)
    if template is None:
        return
    with store.transaction():
        _record, env = _live(store, record)
        draft.subject = str(template.subject.evaluate(env) or "")
        draft.body = str(template.body.evaluate(env) or "").strip()


def _held(store: Store, record: Record) -> Iterator[tuple[str, str]]:
    """The files that the record holds and the person may see: id and name."""
    entity = store.tenant.model.entities[record.entity]
    for name in store.readable_fields(record.entity):
        if entity.fields[name].type.widget in ("file", "image"):
            yield from files_in(record.get(name))


def _checked(store: Store, record: Record, draft: Draft) -> list[str]:
    """The addresses; what is wrong goes into the draft."""
    parts = [part.strip() for part in re.split(r"[,;\n]", draft.to) if part.strip()]
    addresses = list(dict.fromkeys(found[0] for part in parts if (found := _ADDRESS.search(part))))
    odd = next((part for part in parts if not _ADDRESS.search(part)), None)
    if not parts:
        draft.wrong["to"] = _("Write an e-mail address.")
    elif odd is not None:
        draft.wrong["to"] = _("“%(text)s” is no e-mail address.", text=odd[:80])
    elif len(addresses) > MOST:
        draft.wrong["to"] = _("Write to %(most)s addresses at most.", most=MOST)
    else:
        _check_wishes(store, record, draft, addresses)
    if not draft.subject:
        draft.wrong["subject"] = _("Write a subject.")
    if not draft.body:
        draft.wrong["body"] = _("Write something.")
    return addresses


def _check_wishes(store: Store, record: Record, draft: Draft, addresses: Sequence[str]) -> None:
    """Nobody is written to whom nothing reaches, or who has said no; an answer is no new letter."""
    template = store.tenant.model.emails.get(draft.template)
    with store.transaction() as connection:
        closed = optouts.suppressed(connection, store.tenant, "email", addresses)
        agreed = True
        if template is not None and template.consent is not None:
            agreed = template.consent.evaluate(_live(store, record)[1]) is True
    gone = next((a for a, why in closed.items() if "bounced" in why), None)
    left = next((a for a, why in closed.items() if "opted_out" in why), None)
    unwilling = any(record.get(name) is True for name in optouts.NO_MORE)
    if gone is not None:
        draft.wrong["to"] = _("Nothing reaches %(address)s: a letter came back. Correct the address.", address=gone)
    elif template is not None and template.unsubscribe and left is not None:
        draft.wrong["to"] = _("%(address)s has unsubscribed from such letters.", address=left)
    elif not draft.reply and unwilling:
        draft.wrong["to"] = _("This person wants no e-mail.")
    elif not agreed:
        draft.wrong["template"] = _("The record has not agreed to this letter.")


def _send(store: Store, record: Record, draft: Draft, addresses: Sequence[str]) -> None:
    tenant, person = current_tenant(), current_person()
    account = account_named(tenant, draft.account)
    template = tenant.model.emails.get(draft.template)
    replied = _answered(store, draft.reply)
    known = dict(_held(store, record))
    said = next((one for one in accounts_said(tenant) if one.key == account.key), None)
    is_read = said is not None and said.incoming is not None
    letter = Letter(
        subject=draft.subject,
        heading="",
        paragraphs=(),
        body=draft.body,
        language=store.principal.reader.language,
        author=person.name if person is not None else "",
        reply_to="" if is_read or account.reply_to or person is None else person.email,
        in_reply_to=str(replied.get("message_id") or "") if replied is not None else "",
        attachments=tuple((one, known[one]) for one in draft.files if one in known),
        **in_look(tenant.profile),
    )
    out = Outgoing(
        letter,
        addresses,
        about=record.ref if record.entity != kept.ENTITY else _about(record),
        by=store.principal.id,
        marketing=template is not None and template.unsubscribe,
        track=template.track if template is not None else None,
    )
    as_system = Store(tenant, replace(store.principal, is_system=True))
    with as_system.transaction() as connection:
        send_out(as_system, connection, out, account)


def _about(record: Mapping[str, Any] | Record) -> Ref | None:
    about = record.get("about")
    return about if isinstance(about, Ref) else None
