"""What is sent in by public forms: each page once; made into a record, confirmed first, or laid aside."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert

from trellis.automation.channels import Recipient
from trellis.automation.clock import now
from trellis.automation.forms.form import Form
from trellis.automation.forms.letters import confirmation
from trellis.automation.mail.outbox import post
from trellis.automation.mail.words import words
from trellis.automation.notices import tell
from trellis.automation.workflows.acting import system_of
from trellis.automation.workflows.codec import freeze, thaw
from trellis.automation.workflows.people import people_of
from trellis.automation.workflows.starting import Start, start
from trellis.automation.workflows.values import evaluated
from trellis.formula.env import Env
from trellis.formula.types import Ref
from trellis.model.sealing import seal, unseal
from trellis.records.graph import StoreGraph
from trellis.records.refusal import Fault, Refused
from trellis.records.store import Store

if TYPE_CHECKING:
    from trellis.storage.tenant import Tenant

log = structlog.get_logger()
MEANS = "form"
LINK_LASTS = timedelta(days=7)
LAID_ASIDE = timedelta(days=30)  # how long spam and what could not be taken is kept
KNOWN = frozenset({"unique", "duplicate"})  # what a stranger must not be told: that somebody is there already
SOURCES = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "referrer", "landing_page", "about")
"""What an address tells of where somebody came from; `about`: what a letter has asked them about."""
LONGEST = 300  # of a word about where somebody came from


@dataclass(frozen=True)
class Sent:
    """A form as it was sent in: which page it was, in which language, from where."""

    id: UUID
    values: Mapping[str, Any]
    language: str
    sender: str = ""
    source: Mapping[str, str] = field(default_factory=dict)


class NothingToConfirm(Exception):
    """The link was used, has ended, or never was."""


def take(tenant: Tenant, form: Form, sent: Sent, link_of: Callable[[str], str]) -> str:
    """Take a form: what became of it (made, waiting, held). Raises Refused with what the visitor can mend."""
    store = _store(tenant, form, sent.language)
    with store.transaction() as connection:
        if not _is_first(connection, tenant, form, sent, "made"):
            return "made"
        if not form.trigger.confirm:
            return _make_or_hold(store, connection, form, sent)
        held = _would_be_held(store, connection, form, sent)
        if held:
            return _hold(store, connection, form, sent, held)
        secret = secrets.token_urlsafe(32)
        until = now() + LINK_LASTS
        _note(connection, tenant, sent.id, state="waiting", values=_sealed(sent), secret=_hash(secret), until=until)
        letter = confirmation(tenant.profile, form, sent.language, link_of(secret))
        post(connection, tenant, str(sent.values[form.trigger.confirm]), letter, "form")
        return "waiting"


def lay_aside(tenant: Tenant, form: Form, sent: Sent) -> None:
    """Keep what looks like a machine's: somebody may look at it, and nothing comes of it."""
    with tenant.begin() as connection:
        if _is_first(connection, tenant, form, sent, "spam"):
            _note(connection, tenant, sent.id, state="spam", values=_sealed(sent), until=now() + LAID_ASIDE)


def waits(tenant: Tenant, secret: str) -> str:
    """The key of the form that a link confirms. Raises NothingToConfirm."""
    table = tenant.tables.platform.form_entry
    same = table.c.secret == _hash(secret), table.c.state == "waiting", table.c.until > now()
    with tenant.begin() as connection:
        found = connection.execute(sa.select(table.c.form).where(*same)).scalar()
    if found is None:
        raise NothingToConfirm
    return str(found)


def confirm(tenant: Tenant, forms: Mapping[str, Form], secret: str) -> Form:
    """Do what somebody has confirmed by their link, once. Raises NothingToConfirm."""
    table = tenant.tables.platform.form_entry
    same = table.c.secret == _hash(secret), table.c.state == "waiting", table.c.until > now()
    with tenant.begin() as connection:
        row = connection.execute(sa.select(table).where(*same)).mappings().first()
    form = _form_of(forms, row["form"]) if row is not None else None
    if row is None or form is None:
        raise NothingToConfirm
    _decide(tenant, form, row["id"], "waiting", confirmed=True)
    return form


def accept(tenant: Tenant, forms: Mapping[str, Form], id: UUID) -> str:
    """Take what was laid aside after all: an administrator has looked. Raises NothingToConfirm, Refused."""
    table = tenant.tables.platform.form_entry
    with tenant.begin() as connection:
        row = connection.execute(sa.select(table).where(table.c.id == id)).mappings().first()
    form = _form_of(forms, row["form"]) if row is not None else None
    if row is None or form is None or row["state"] not in ("spam", "held"):
        raise NothingToConfirm
    return _decide(tenant, form, id, row["state"])


def _decide(tenant: Tenant, form: Form, id: UUID, state: str, *, confirmed: bool = False) -> str:
    table = tenant.tables.platform.form_entry
    language = tenant.profile.language
    store = _store(tenant, form, language)
    with store.transaction() as connection:
        statement = sa.select(table).where(table.c.id == id, table.c.state == state).with_for_update()
        row = connection.execute(statement).mappings().first()
        if row is None:
            raise NothingToConfirm
        values: Any = thaw(orjson.loads(unseal(row["values"])))
        sent = Sent(id, values, row["source"].get("language", language), source=row["source"])
        if not confirmed:
            _make(store, connection, form, sent)
            return "made"
        _note(connection, tenant, id, confirmed_at=now(), secret=None)
        sent = replace(sent, source={**sent.source, "confirmed_at": now().isoformat()})
        try:
            return _make_or_hold(store, connection, form, sent)
        except Refused as refused:  # what was right when it was sent in
            return _hold(store, connection, form, sent, list(refused.faults))


def _form_of(forms: Mapping[str, Form], workflow: str) -> Form | None:
    return next((form for form in forms.values() if form.workflow.key == workflow), None)


def _store(tenant: Tenant, form: Form, language: str) -> Store:
    principal = system_of(tenant, None, form.workflow.label.in_language(tenant.profile.language))
    reader = replace(principal.reader, language=language)
    return Store(tenant, replace(principal, reader=reader), cause={"form": form.key})


def _is_first(connection: sa.Connection, tenant: Tenant, form: Form, sent: Sent, state: str) -> bool:
    row = {
        "id": sent.id,
        "form": form.workflow.key,
        "at": now(),
        "state": state,
        "source": {**sent.source, "language": sent.language},
        "sender": sent.sender,
    }
    table = tenant.tables.platform.form_entry
    made = insert(table).values(**row).on_conflict_do_nothing().returning(table.c.id)
    return connection.execute(made).first() is not None


def _note(connection: sa.Connection, tenant: Tenant, id: UUID, **values: Any) -> None:
    table = tenant.tables.platform.form_entry
    connection.execute(sa.update(table).where(table.c.id == id).values(**values))


def _sealed(sent: Sent) -> str:
    return seal(orjson.dumps(freeze(sent.values)).decode())


def _make(store: Store, connection: sa.Connection, form: Form, sent: Sent) -> Ref:
    """The record, and the run that begins with it."""
    source = {**sent.source, "language": sent.language}
    env = Env(None, store.session.reader, StoreGraph(store.session), variables={"form": source})
    given = evaluated(store.session, form.entity.key, form.trigger.values, env)
    made = store.create(form.entity.key, {**_came_from(form, sent), **sent.values, **given}, means=MEANS)
    begun = Start(
        form.workflow,
        "form",
        made.ref,
        by_name=store.principal.name,
        event={"kind": "form", "source": source},
        variables={"form": source},
    )
    start(connection, store.tenant, [begun])
    done = {"state": "made", "entity": made.ref.entity, "record": made.ref.id, "values": None, "until": None}
    _note(connection, store.tenant, sent.id, **done)
    return made.ref


def _came_from(form: Form, sent: Sent) -> dict[str, str]:
    """Where somebody came from, in the fields that have the names for it."""
    found = {}
    for name in SOURCES:
        field = form.entity.fields.get(name)
        if field is not None and field.type.name in ("text", "long_text", "url") and sent.source.get(name):
            found[name] = sent.source[name][: getattr(field.type, "max_length", None) or LONGEST]
    return found


def _make_or_hold(store: Store, connection: sa.Connection, form: Form, sent: Sent) -> str:
    try:
        with connection.begin_nested():
            _make(store, connection, form, sent)
        return "made"
    except Refused as refused:
        return _hold(store, connection, form, sent, _beyond(form, refused))


class _TakenBack(Exception):
    """It can be made; that was all that was asked."""


def _would_be_held(store: Store, connection: sa.Connection, form: Form, sent: Sent) -> list[Fault]:
    """What will stand against the record once it is confirmed; what the visitor can mend is raised at once."""
    try:
        with connection.begin_nested():
            _make(store, connection, form, sent)
            raise _TakenBack
    except _TakenBack:
        return []
    except Refused as refused:
        return _beyond(form, refused)


def _beyond(form: Form, refused: Refused) -> list[Fault]:
    """The faults, if all are beyond the visitor; raises Refused with those that they can mend."""
    own = [f for f in refused.faults if (f.field or "").partition(".")[0] in form.trigger.fields]
    mendable = [f for f in own if f.code not in KNOWN]
    if mendable:
        raise Refused(mendable) from refused
    return list(refused.faults)


def _hold(store: Store, connection: sa.Connection, form: Form, sent: Sent, faults: list[Fault]) -> str:
    """Keep what cannot be taken by itself, and tell the administrators: the visitor has done nothing wrong."""
    tenant = store.tenant
    _note(connection, tenant, sent.id, state="held", values=_sealed(sent), until=now() + LAID_ASIDE)
    log.warning("a form could not be taken", tenant=tenant.slug, form=form.key, why=[f.code for f in faults])

    def said(person: Recipient) -> str:
        _, label = words(person.language), form.workflow.label.in_language(person.language)
        return _("What somebody sent in by “%(form)s” could not be taken by itself. Look at it.", form=label)

    admins = people_of(store.session, {"role": "admin"})
    tell(connection, tenant, admins, said, kind="form", address=f"admin/workflows/{form.workflow.key}")
    return "held"


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
