"""Letters: how they look, and how they get to a server."""

from __future__ import annotations

import smtplib
import socket
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from tests.automation.mail.mailbox import Mailbox, mail_server
from tests.web.frame_tenants import YAML

from trellis.automation import jobs
from trellis.automation.mail import optouts, outbox, places
from trellis.automation.mail.account import Account, account_of
from trellis.automation.mail.delivery import deliver
from trellis.automation.mail.letter import COLOR, Letter, in_look
from trellis.automation.mail.outbox import post
from trellis.automation.mail.sending import at_home
from trellis.automation.mail.words import words
from trellis.automation.worker.drain import drain
from trellis.model.profile import TenantProfile
from trellis.storage.secrets import secret_name

LETTER = Letter(
    subject="Hello\r\nBcc: everybody@x.example",
    heading="Hello <b>Anna</b>",
    paragraphs=("You & I",),
    button=("Come in", "https://crm.example/invite/abc"),
    small=("Once.",),
    sender="Acme",
)


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as mailbox:
        yield mailbox


def put(tenant: Any, to: str = "anna@x.example", letter: Letter = LETTER) -> Any:
    with tenant.begin() as connection:
        return post(connection, tenant, to, letter, "invitation")


def row_of(tenant: Any, id: Any) -> Any:
    table = tenant.tables.platform.mail
    with tenant.begin() as connection:
        return connection.execute(sa.select(table).where(table.c.id == id)).one()


def test_a_letter_arrives_as_text_and_html(make_tenant: Any, catalogue: Any, mailbox: Mailbox) -> None:
    tenant = make_tenant(YAML, profile=mailbox.profile)
    id = put(tenant)
    assert mailbox.letters == []  # nobody waits for the server
    drain(catalogue, tenant)
    (letter,) = mailbox.letters
    assert mailbox.recipients == ["anna@x.example"]
    assert letter["Subject"] == "Hello Bcc: everybody@x.example"
    assert letter["From"] == "Acme <crm@acme.example>"
    assert letter["Reply-To"] == "help@acme.example"
    assert letter["Message-ID"] == f"<{id}@acme.example>"
    plain, html = (letter.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert html is not None
    assert "Hello <b>Anna</b>\n\nYou & I\n\nCome in:\nhttps://crm.example/invite/abc" in plain.get_content().replace(
        "\r\n", "\n"
    )
    assert "Hello &lt;b&gt;Anna&lt;/b&gt;" in html.get_content()
    assert "<script" not in html.get_content()
    assert (row_of(tenant, id).state, row_of(tenant, id).body) == ("sent", None)


def test_what_is_rolled_back_is_not_sent(make_tenant: Any, catalogue: Any, mailbox: Mailbox) -> None:
    tenant = make_tenant(YAML, profile=mailbox.profile)
    with tenant.begin() as connection:
        post(connection, tenant, "anna@x.example", LETTER, "invitation")
        connection.rollback()
    drain(catalogue, tenant)
    assert mailbox.letters == []


def test_the_database_does_not_tell_the_link(make_tenant: Any, mailbox: Mailbox) -> None:
    tenant = make_tenant(YAML, profile=mailbox.profile)
    assert "invite/abc" not in str(row_of(tenant, put(tenant)))


def test_a_server_that_is_busy_is_tried_again(make_tenant: Any, catalogue: Any, mailbox: Mailbox) -> None:
    tenant = make_tenant(YAML, profile=mailbox.profile)
    mailbox.refuse = "451 try later"
    id = put(tenant)
    drain(catalogue, tenant)
    assert row_of(tenant, id).state == "waiting"
    mailbox.refuse = ""
    drain(catalogue, tenant, ahead=timedelta(hours=1))
    assert row_of(tenant, id).state == "sent"
    assert len(mailbox.letters) == 1


def test_an_address_that_is_refused_is_given_up_and_says_why(
    make_tenant: Any, catalogue: Any, mailbox: Mailbox
) -> None:
    tenant = make_tenant(YAML, profile=mailbox.profile)
    mailbox.refuse = "550 no such mailbox"
    id = put(tenant)
    drain(catalogue, tenant)
    row = row_of(tenant, id)
    assert (row.state, row.body) == ("failed", None)
    assert "550 no such mailbox" in row.error


def test_a_server_that_says_good_bye_badly_has_the_letter_all_the_same(
    make_tenant: Any, catalogue: Any, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = make_tenant(YAML, profile=mailbox.profile)

    def breaks_off(_server: smtplib.SMTP) -> None:
        raise TimeoutError("timed out")

    monkeypatch.setattr(smtplib.SMTP, "quit", breaks_off)
    id = put(tenant)
    drain(catalogue, tenant)
    drain(catalogue, tenant, ahead=timedelta(hours=3))
    assert (row_of(tenant, id).state, len(mailbox.letters)) == ("sent", 1)


def test_a_worker_that_ends_after_handing_over_sends_it_again_by_the_same_name_and_says_so(
    make_tenant: Any, catalogue: Any, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = make_tenant(YAML, profile=mailbox.profile)
    id = put(tenant)

    class Killed(BaseException):
        pass

    def dies(*_given: Any) -> None:
        raise Killed

    work = work_of(tenant, catalogue, id)
    with monkeypatch.context() as patch:
        patch.setattr(outbox, "_settle", dies)
        with pytest.raises(Killed):
            outbox.send.do(work)
    outbox.send.do(work_of(tenant, catalogue, id))
    first, second = (letter["Message-ID"] for letter in mailbox.letters)
    assert first == second == f"<{id}@acme.example>"
    assert row_of(tenant, id).state == "sent"
    assert "twice" in row_of(tenant, id).error


def work_of(tenant: Any, catalogue: Any, id: Any) -> Any:
    class Now(jobs.Work):
        def finish(self, connection: Any) -> None:
            """As if it were a worker's."""

    return Now("mail.send", {"mail": str(id)}, uuid4(), 0, 0, 0, catalogue, tenant)


@pytest.mark.parametrize(
    ("said", "state", "closed"),
    [
        ("535 5.7.8 wrong password", "waiting", False),  # somebody may set it right in time
        ("550 5.7.1 we do not like you", "failed", False),
        ("550 5.1.1 no such mailbox", "failed", True),
        ("552 5.2.2 mailbox full", "failed", False),
    ],
)
def test_what_a_refusal_means(
    make_tenant: Any,
    catalogue: Any,
    mailbox: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
    said: str,
    state: str,
    closed: bool,
) -> None:
    tenant = make_tenant(YAML, profile=mailbox.profile)
    if said.startswith("535"):

        def refuses(*_given: Any, **_named: Any) -> None:
            raise smtplib.SMTPAuthenticationError(535, said[4:].encode())

        monkeypatch.setattr(outbox, "deliver", refuses)
    mailbox.refuse = said
    id = put(tenant)
    drain(catalogue, tenant)
    row = row_of(tenant, id)
    assert (row.state, said[4:] in row.error) == (state, True)
    with tenant.begin() as connection:
        assert bool(optouts.suppressed(connection, tenant, "email", ["anna@x.example"])) is closed


def test_a_machine_that_does_not_answer_is_tried_again(make_tenant: Any, catalogue: Any, mailbox: Mailbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    tenant = make_tenant(YAML, profile=mailbox.profile.replace(f"port: {mailbox.port}", f"port: {port}"))
    id = put(tenant)
    drain(catalogue, tenant)
    assert row_of(tenant, id).state == "waiting"
    assert "refused" in row_of(tenant, id).error


def test_a_server_that_hangs_blocks_for_no_longer_than_the_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        account = Account("127.0.0.1", silent.getsockname()[1], "none", "crm@acme.example")
        with pytest.raises(smtplib.SMTPServerDisconnected):
            deliver(account, LETTER.message(account, "anna@x.example", uuid4()), "anna@x.example", timeout=0.2)


def test_the_tenants_account_comes_before_the_installations(make_tenant: Any) -> None:
    environ = {"TRELLIS_SMTP_URL": "smtps://crm:p%40ss@mail.example", "TRELLIS_MAIL_FROM": "crm@example.com"}
    plain = make_tenant(YAML)
    assert account_of(plain, {}) is None
    assert account_of(plain, environ) == Account("mail.example", 465, "tls", "crm@example.com", "crm", "p@ss")
    assert account_of(plain, {**environ, "TRELLIS_SMTP_URL": "mail.example"}) is None
    own = "mail: {server: smtp.acme.example, user: crm, password: {env: SMTP}, from: crm@acme.example}\n"
    tenant = make_tenant(YAML, profile=own)
    assert account_of(tenant, environ) is None  # its password is missing: nothing goes out by somebody else's server
    account = account_of(tenant, {**environ, secret_name(tenant.slug, "SMTP"): "hush"})
    assert account == Account("smtp.acme.example", 587, "starttls", "crm@acme.example", "crm", "hush", is_tenants=True)
    assert "hush" not in repr(account)


def test_words_in_the_readers_language() -> None:
    assert words("zh-Hans")("Set a new password") != "Set a new password"
    assert words("xx-nonsense")("Set a new password") == "Set a new password"


def test_links_that_begin_with_a_slash_lead_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "_where", [lambda slug: f"https://crm.example/t/{slug}"])
    acme: Any = SimpleNamespace(slug="acme")
    letter = Letter("S", "", (), body="[a](/forms/x?about=1) [b](//x.example) [c](https://y.example/)")
    assert at_home(acme, letter).body == (
        "[a](https://crm.example/t/acme/forms/x?about=1) [b](//x.example) [c](https://y.example/)"
    )
    html = at_home(acme, Letter("S", "", (), html_body='<a href="/forms/x">a</a>')).html_body
    assert html == '<a href="https://crm.example/t/acme/forms/x">a</a>'


@pytest.mark.parametrize(
    ("color", "found"), [("#0f766e", "#0f766e"), ("teal", COLOR), ("#fff;x", COLOR), (None, COLOR)]
)
def test_the_companys_colour(color: str | None, found: str) -> None:
    profile = TenantProfile("acme", "Acme", theme={"color": color} if color else {})
    assert in_look(profile) == {"sender": "Acme", "color": found}
