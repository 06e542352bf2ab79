"""Mail that comes in: from a real mailbox, once, to what it is about."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

import pytest
import sqlalchemy as sa
from tests.automation.mail.imap import PASSWORD, Post, imap_server
from tests.automation.mail.mailbox import Mailbox
from tests.conftest import layers_of
from tests.web.frame_tenants import YAML

from trellis.automation import set_back
from trellis.automation.clock import now
from trellis.automation.jobs import defer
from trellis.automation.mail import optouts
from trellis.automation.mail.incoming import fetching, taking
from trellis.automation.mail.incoming.mailbox import opened
from trellis.automation.mail.incoming.taking import take
from trellis.automation.worker.drain import drain
from trellis.automation.workflows import engine  # noqa: F401 (does the runs)
from trellis.automation.workflows.acting import system_of
from trellis.model.sign_in import Incoming
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue
from trellis.storage.secrets import secret_name
from trellis.storage.tenant import Tenant

DESK = """
---
entity: contact
title: name
fields:
  name:  {type: text, required: true}
  email: {type: email, multiple: true, search: true}
  account: {type: link, to: account}
  no_email: {type: boolean, default: false}
---
entity: ticket
title: subject
fields:
  number:  {type: sequence, mask: "T-{0000}"}
  subject: {type: text, required: true, max_length: 40}
  contact: {type: link, to: contact}
  account: {type: link, to: account}
  channel: {type: choice, choices: [email, phone]}
  urgent:  {type: boolean}
  description: {type: long_text}
---
entity: email_message
title: subject
fields:
  subject:   {type: text, required: true}
  about:     {type: any_link, to: "*", inverse: emails}
  direction: {type: choice, choices: [in, out]}
  state:     {type: choice, choices: [waiting, sent, failed, bounced, received]}
  at:        {type: datetime}
  sender:    {type: text}
  recipients: {type: text}
  contact:   {type: link, to: contact, inverse: letters}
  text:      {type: long_text}
  html:      {type: rich_text}
  files:     {type: file, multiple: true, max_size: 1 MB}
  message_id: {type: text, index: true}
  in_reply_to: {type: text}
---
workflow: desk
on: {email: {to: support, creates: ticket, set: {urgent: '=contains(lower(message.subject), "urgent")'}}}
steps:
  - send: email
    to: =message.from
    subject: "We have it: {subject}"
    body: "Dear {message.name}, it is [{number}]."
"""


@pytest.fixture(scope="module")
def post() -> Iterator[Post]:
    with imap_server() as post:
        yield post


@pytest.fixture(scope="module")
def made(catalogue: Catalogue, post: Post, smtp: Mailbox) -> Iterator[Tenant]:
    said = smtp.profile.replace(
        "}\n",
        f", accounts: {{support: {{from: support@acme.example, incoming: {post.incoming}}}}}, reply_tokens: true}}\n",
    )
    yield catalogue.create("mail-in", layers_of(YAML + DESK, "mail-in", profile=said), "test")
    catalogue.drop("mail-in")


@pytest.fixture
def tenant(made: Tenant, smtp: Mailbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tenant]:
    monkeypatch.setenv(secret_name("mail-in", "IMAP"), PASSWORD)
    smtp.letters.clear()
    yield made
    with made.begin() as connection:
        for name in ("email_message", "ticket", "contact", "account"):
            connection.execute(sa.delete(made.tables.entity[name]))
        for table in (made.tables.platform.mail_received, made.tables.platform.mail, made.tables.platform.suppressed):
            connection.execute(sa.delete(table))


@pytest.fixture
def store(tenant: Tenant) -> Store:
    return Store(tenant, system_of(tenant))


_numbers = iter(range(1000))


def letter(
    subject: str = "Broken", sender: str = "Ann <ann@x.example>", body: str = "It does not work.", **more: str
) -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, more.pop("To", "support@acme.example"), subject
    made["Date"] = format_datetime(datetime.now(UTC))
    made["Message-ID"] = more.pop("id", f"<{next(_numbers)}@x.example>")
    for name, value in more.items():
        made[name.replace("_", "-")] = value
    made.set_content(body)
    return made


def given(store: Store, raw: EmailMessage | bytes) -> str | None:
    from trellis.automation.mail.incoming.parsing import understood

    with store.transaction() as connection:
        return take(store, connection, "support", understood(bytes(raw) if isinstance(raw, EmailMessage) else raw))


def rows(tenant: Tenant, entity: str) -> list[Any]:
    with tenant.begin() as connection:
        return list(connection.execute(sa.select(tenant.tables.entity[entity]).order_by("id")).all())


def test_a_mailbox_is_read_and_an_answer_comes_to_the_ticket(
    tenant: Tenant, store: Store, catalogue: Catalogue, post: Post, smtp: Mailbox
) -> None:
    ann = store.create("contact", {"name": "Ann", "email": "ann@x.example"})
    first = letter("URGENT: printer")
    first.add_attachment(b"hello", maintype="text", subtype="plain", filename="报告.txt")
    post.arrives(bytes(first))
    look(catalogue, tenant)
    (ticket,) = rows(tenant, "ticket")
    assert (ticket.subject, ticket.contact, ticket.channel, ticket.urgent) == ("URGENT: printer", ann.id, "email", True)
    assert ticket.description == "It does not work."
    came, went = rows(tenant, "email_message")
    assert (came.direction, came.about, came.files[0]["name"]) == ("in", ticket.id, "报告.txt")
    assert (went.direction, went.about, went.state) == ("out", ticket.id, "sent")
    (sent,) = smtp.letters
    assert sent["From"] == "support@acme.example" or "crm@acme.example" in sent["From"]
    assert f"[{ticket.number}]" in str(sent.get_body(("plain",)).get_content())  # type: ignore[union-attr]
    answer = letter(
        "Re: We have it", body="Thanks.\n\nOn Monday Acme wrote:\n> Dear Ann", In_Reply_To=sent["Message-ID"]
    )
    post.arrives(bytes(answer))
    look(catalogue, tenant)
    (ticket,) = rows(tenant, "ticket")
    latest = rows(tenant, "email_message")[-1]
    assert (latest.about, latest.text, latest.contact) == (ticket.id, "Thanks.", ann.id)
    assert "Dear Ann" in latest.html


def test_each_message_is_taken_once(tenant: Tenant, store: Store) -> None:
    one = letter(id="<same@x.example>")
    assert [given(store, one), given(store, one)] == ["new", None]
    assert len(rows(tenant, "ticket")) == 1


def test_killed_in_between_nothing_is_lost_and_nothing_doubled(
    tenant: Tenant, post: Post, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    post.arrives(*(bytes(letter(f"No. {n}", sender=f"p{n}@x.example")) for n in range(4)))
    before, count = fetching._note, iter(range(100))

    def dies(*given: Any) -> None:
        before(*given)
        if next(count) == 2:
            raise RuntimeError("killed before the commit")

    monkeypatch.setattr(fetching, "_note", dies)
    look(catalogue, tenant)
    drain(catalogue, tenant, ahead=timedelta(minutes=2))  # it is tried again
    assert sorted(t.subject for t in rows(tenant, "ticket")) == ["No. 0", "No. 1", "No. 2", "No. 3"]


@pytest.mark.parametrize(
    ("how", "word"),
    [
        ({"Auto_Submitted": "auto-replied"}, "auto"),
        ({"Precedence": "bulk"}, "auto"),
        ({"List_Id": "<news.x.example>"}, "listed"),
        ({"sender": "MAILER-DAEMON@x.example"}, "auto"),
        ({"sender": "crm@acme.example"}, "loop"),
        ({"subject": "Unsubscribe"}, "leave"),
        ({"subject": "退订"}, "leave"),
    ],
)
def test_machines_and_loops_make_nothing(tenant: Tenant, store: Store, how: dict[str, str], word: str) -> None:
    assert given(store, letter(**how)) == word
    assert rows(tenant, "ticket") == []


def test_who_writes_without_end_is_stopped(tenant: Tenant, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "MOST", 2)
    assert [given(store, letter()) for _ in range(4)] == ["new", "new", "flood", "flood"]


def test_an_answer_to_a_letters_own_address_comes_to_its_record_whatever_else_it_says(
    tenant: Tenant, store: Store, catalogue: Catalogue, smtp: Mailbox
) -> None:
    for subject in ("Printer", "Screen"):
        assert given(store, letter(subject)) == "new"
    drain(catalogue, tenant)
    printer, screen = (next(s for s in smtp.letters if name in s["Subject"]) for name in ("Printer", "Screen"))
    own = str(printer["Reply-To"])
    assert own.startswith("help+")
    assert own.endswith("@acme.example")
    said = letter("Re: hello", body="From elsewhere", To=own, In_Reply_To=str(screen["Message-ID"]))
    assert given(store, said) == "reply"
    tickets = {row.subject: row.id for row in rows(tenant, "ticket")}
    assert rows(tenant, "email_message")[-1].about == tickets["Printer"]
    forged = "help+" + "a" * 26 + "@acme.example"
    assert given(store, letter("Re: hello", To=forged, In_Reply_To=str(screen["Message-ID"]))) == "reply"
    assert rows(tenant, "email_message")[-1].about == tickets["Screen"]  # by what it answers
    assert given(store, letter("Re: hello", sender="x@y.example", To=forged)) == "new"


def test_the_number_in_a_subject_counts_for_those_who_have_to_do_with_it(tenant: Tenant, store: Store) -> None:
    ann = store.create("contact", {"name": "Ann", "email": "ann@x.example"})
    ticket = store.create("ticket", {"subject": "Printer", "contact": ann.id})
    subject = f"About [{ticket['number']}]"
    assert given(store, letter(subject)) == "reply"
    assert given(store, letter(subject, sender="eve@x.example")) == "new"


def test_senders_are_found_by_an_index(tenant: Tenant) -> None:
    field = tenant.model.entities["contact"].fields["email"]
    asked = optouts.held_in(tenant.tables.entity["contact"], field, "Ann@X.example")
    with tenant.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO contact (id, email, email_all) SELECT gen_random_uuid(), n || '@x.example',"
            " jsonb_build_array(jsonb_build_object('value', n || '@x.example')) FROM generate_series(1, 3000) n"
        )
        connection.exec_driver_sql("RESET ROLE; ANALYZE contact")
        sa.event.listen(
            connection, "before_cursor_execute", lambda _c, _k, text, given, *_: (f"EXPLAIN {text}", given), retval=True
        )
        found = "\n".join(str(line) for line in connection.execute(asked).scalars())
        connection.rollback()
    assert "contact_email_match" in found
    assert "contact_email_held" in found


def test_what_nobody_waits_for_stands_with_its_sender(tenant: Tenant, store: Store) -> None:
    ann = store.create("contact", {"name": "Ann", "email": "ann@x.example"})
    raw = letter()
    del raw["To"]
    raw["To"] = "hello@acme.example"
    with store.transaction() as connection:
        from trellis.automation.mail.incoming.parsing import understood

        assert take(store, connection, "", understood(bytes(raw))) == "known"
    assert rows(tenant, "email_message")[0].about == ann.id


def look(catalogue: Catalogue, tenant: Tenant) -> None:
    """Read the mailbox now, whatever was planned."""
    with tenant.begin() as connection:
        fetching._plan(connection, tenant, "support", now(), error="")
    drain(catalogue, tenant)


DSN = """From: MAILER-DAEMON@mx.example
To: crm@acme.example
Subject: Undelivered
Message-ID: <dsn-{n}@mx.example>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

No such user.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; Ann@x.example
Action: failed
Status: {status}
Diagnostic-Code: smtp; 550 no such user

--b
Content-Type: message/rfc822

Message-ID: {original}
Subject: hello

--b--
"""


def test_a_letter_that_comes_back_closes_the_address(
    tenant: Tenant, store: Store, catalogue: Catalogue, smtp: Mailbox
) -> None:
    store.create("contact", {"name": "Ann", "email": "ann@x.example; ann@home.example"})
    assert given(store, letter(id="<first@x.example>")) == "new"
    drain(catalogue, tenant)
    original = smtp.letters[-1]["Message-ID"]
    assert given(store, DSN.format(n=1, status="5.1.1", original="<other@acme.example>").encode()) == "bounce"
    assert given(store, DSN.format(n=2, status="4.2.2", original=original).encode()) == "bounce"
    assert [e["invalid"] for e in rows(tenant, "contact")[0].email_all] == [False, False]  # forged, or only delayed
    assert given(store, DSN.format(n=3, status="5.1.1", original=original).encode()) == "bounce"
    assert [e["invalid"] for e in rows(tenant, "contact")[0].email_all] == [True, False]
    assert rows(tenant, "email_message")[-1].state == "bounced"
    with tenant.begin() as connection:
        assert optouts.suppressed(connection, tenant, "email", ["ann@x.example"]) == {"ann@x.example": {"bounced"}}
    assert given(store, letter("Again", id="<again@x.example>")) == "new"
    count = len(smtp.letters)
    drain(catalogue, tenant)
    assert len(smtp.letters) == count  # nothing more goes there


def test_opting_out_by_a_letter_is_told_to_the_record(tenant: Tenant, store: Store) -> None:
    store.create("contact", {"name": "Ann", "email": "ann@x.example"})
    assert given(store, letter("unsubscribe")) == "leave"
    (ann,) = rows(tenant, "contact")
    assert (ann.no_email, ann.email_all[0]["opted_out"]) == (True, True)


def test_a_server_that_refuses_is_asked_again_and_the_reason_is_kept(
    tenant: Tenant, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(secret_name("mail-in", "IMAP"), "wrong")
    look(catalogue, tenant)
    table = tenant.tables.platform.mail_in
    with tenant.begin() as connection:
        row = connection.execute(sa.select(table)).one()
    assert "refuses the sign-in" in row.error
    assert row.failing_since is not None
    monkeypatch.setenv(secret_name("mail-in", "IMAP"), PASSWORD)
    look(catalogue, tenant)
    with tenant.begin() as connection:
        assert connection.execute(sa.select(table.c.error)).scalar_one() is None


def test_a_server_that_hangs_blocks_for_no_longer_than_the_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(OSError, match="timed out"):  # noqa: SIM117
        with opened(Incoming("127.0.0.1", silent.getsockname()[1], "none"), "", timeout=0.2):
            pass


def test_a_mailbox_is_read_on_when_the_databases_clock_is_set_back(
    tenant: Tenant, catalogue: Catalogue, post: Post
) -> None:
    look(catalogue, tenant)
    table = tenant.tables.platform.mail_in
    with tenant.begin() as connection:
        connection.execute(sa.update(table).values(next_at=now() + timedelta(days=100)))
        defer(connection, set_back.AGAIN)
    drain(catalogue, tenant)
    with tenant.begin() as connection:
        assert connection.execute(sa.select(table.c.next_at)).scalar_one() < now() + timedelta(hours=1)


def test_a_mailbox_inside_is_not_read(
    tenant: Tenant, catalogue: Catalogue, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRELLIS_OUTGOING_ALLOW")
    post.arrives(bytes(letter("Inside")))
    look(catalogue, tenant)
    with tenant.begin() as connection:
        assert "lies inside" in connection.execute(sa.select(tenant.tables.platform.mail_in.c.error)).scalar_one()
