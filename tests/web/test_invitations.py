"""Links that reach people: by mail where there is a server, by an administrator's hand where there is none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from tests.automation.mail.mailbox import Mailbox, mail_server
from tests.web.frame_tenants import YAML, add_person, app_of, outcome, sign_in, signed_in_client, token_of

from trellis.automation.worker.drain import drain
from trellis.identity.accounts import find_account
from trellis.identity.people import sign_ins
from trellis.identity.sign_in_log import sign_in_history
from trellis.storage.secrets import use_installation_key

NEW = {"name": "Nora New", "email": "nora@x.example", "roles": "rep", "active": "1"}
PASSWORD = "purple monkey dishwasher"


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as mailbox:
        yield mailbox


@pytest.fixture(autouse=True)
def key(tmp_path: Path) -> None:
    use_installation_key(tmp_path)


@pytest.fixture
def tenant(same_tenant: Any, mailbox: Mailbox) -> Any:
    tenant = same_tenant(YAML, profile=mailbox.profile)
    add_person(tenant, "anna@x.example", "admin", name="Anna Admin")
    return tenant


def post(client: Any, address: str, **data: str) -> Any:
    token = token_of(client.get("/profile").text)
    return client.post(address, data={"csrf_token": token, **data})


def accept(client: Any, link: str, **data: str) -> Any:
    """Send the form behind a link."""
    token = token_of(client.get(link).text)
    return client.post(link, data={"csrf_token": token, "password": PASSWORD, "again": PASSWORD, **data})


def test_an_invitation_goes_by_mail_and_lets_in_once(
    tenant: Any, mailbox: Mailbox, catalogue: Any, tmp_path: Path
) -> None:
    app = app_of(tenant, tmp_path, url="https://crm.example")
    answer = post(signed_in_client(app, "anna@x.example"), "/admin/users/new", **NEW)
    assert answer.status_code == 302  # no link to hand over
    drain(catalogue, tenant)
    (letter,) = mailbox.letters
    assert letter["To"] == "nora@x.example"
    link = mailbox.link()
    assert link.startswith(f"https://crm.example/t/{tenant.slug}/invite/")
    address = urlsplit(link).path.removeprefix(f"/t/{tenant.slug}")

    client = app.test_client()
    assert "Nora New" in client.get(address).text
    assert outcome(accept(client, address, name=" ", language="en")) == 422
    assert outcome(accept(client, address, name="Nora", language="en", password="short", again="short")) == 422
    done = accept(client, address, name="Nora Newman", language="zh-Hans")
    assert done.status_code == 302
    assert "Nora Newman" in client.get("/profile").text
    account = find_account(tenant, "nora@x.example")
    assert account is not None
    assert account.name == "Nora Newman"
    assert [e.event for e in sign_in_history(tenant, account.id)] == ["in", "password", "invited"]

    again = app.test_client()
    gone = again.get(address)
    assert gone.status_code == 410
    assert "does not work any more" in gone.text
    assert sign_in(again, "nora@x.example", PASSWORD).status_code == 302


def test_without_a_mail_server_the_administrator_hands_the_link_over(same_tenant: Any, tmp_path: Path) -> None:
    tenant = same_tenant(YAML)
    add_person(tenant, "anna@x.example", "admin")
    app = app_of(tenant, tmp_path)
    page = post(signed_in_client(app, "anna@x.example"), "/admin/users/new", **NEW).text
    found = re.search(r'id="link" readonly value="http://localhost(/invite/[^"]+)"', page)
    assert found
    assert accept(app.test_client(), found[1], name="Nora", language="en").status_code == 302


def test_an_invitation_is_no_password_link_and_the_other_way_round(same_tenant: Any, tmp_path: Path) -> None:
    tenant = same_tenant(YAML)
    add_person(tenant, "anna@x.example", "admin")
    app = app_of(tenant, tmp_path)
    page = post(signed_in_client(app, "anna@x.example"), "/admin/users/new", **NEW).text
    secret = re.search(r"/invite/([\w-]+)", page)
    assert secret
    assert app.test_client().get(f"/reset/{secret[1]}").status_code == 410


def test_an_expired_invitation(tenant: Any, tmp_path: Path, mailbox: Mailbox, catalogue: Any) -> None:
    app = app_of(tenant, tmp_path)
    post(signed_in_client(app, "anna@x.example"), "/admin/users/new", **NEW)
    drain(catalogue, tenant)
    with tenant.begin() as connection:
        connection.execute(sa.update(tenant.tables.platform.token).values(expires_at=sa.func.now()))
    assert app.test_client().get(urlsplit(mailbox.link()).path).status_code == 410


def test_forgot_writes_to_who_is_there_and_says_the_same_to_everybody(
    tenant: Any, mailbox: Mailbox, catalogue: Any, tmp_path: Path
) -> None:
    app = app_of(tenant, tmp_path, url="https://crm.example")
    texts = []
    for email in ("anna@x.example", "nobody@x.example"):
        client = app.test_client()
        token = token_of(client.get("/forgot").text)
        answer = client.post("/forgot", data={"csrf_token": token, "email": email})
        texts.append(
            (answer.status_code, answer.text.count(email), len(answer.text) - answer.text.count(email) * len(email))
        )
    assert texts[0][:2] == texts[1][:2]
    assert abs(texts[0][2] - texts[1][2]) < 20  # tokens differ
    drain(catalogue, tenant)
    assert [letter["To"] for letter in mailbox.letters] == ["anna@x.example"]
    address = urlsplit(mailbox.link()).path.removeprefix(f"/t/{tenant.slug}")
    assert accept(app.test_client(), address).location == "/login"
    assert app.test_client().get(address).status_code == 410
    assert sign_in(app.test_client(), "anna@x.example", PASSWORD).status_code == 302
    drain(catalogue, tenant)
    assert "was changed" in str(mailbox.letters[-1]["Subject"])


def test_a_strangers_host_never_comes_into_a_letter(
    tenant: Any, mailbox: Mailbox, catalogue: Any, tmp_path: Path
) -> None:
    app = app_of(tenant, tmp_path)  # nobody said where the installation is reached
    client = app.test_client()
    host = {"Host": "198.51.100.66"}
    token = token_of(client.get("/forgot", headers=host).text)
    client.post("/forgot", headers=host, data={"csrf_token": token, "email": "anna@x.example"})
    drain(catalogue, tenant)
    assert mailbox.letters == []
    account = find_account(tenant, "anna@x.example")
    assert account is not None
    assert sign_ins(tenant, [account.id])[account.id].asked  # the administrators see it instead


def test_mailboxes_are_not_filled_by_strangers(tenant: Any, mailbox: Mailbox, catalogue: Any, tmp_path: Path) -> None:
    app = app_of(tenant, tmp_path, url="https://crm.example")
    for _ in range(6):
        client = app.test_client()
        token = token_of(client.get("/forgot").text)
        client.post("/forgot", data={"csrf_token": token, "email": "anna@x.example"})
    drain(catalogue, tenant)
    assert len(mailbox.letters) == 3


def test_an_administrator_mails_a_new_password_link_and_resets_a_factor(
    tenant: Any, mailbox: Mailbox, catalogue: Any, tmp_path: Path
) -> None:
    from trellis.identity import second_factor

    app = app_of(tenant, tmp_path, url="https://crm.example")
    bob = add_person(tenant, "bob@x.example", "rep", language="zh-Hans")
    with tenant.begin() as connection:
        secret = second_factor.new_secret()
        import pyotp

        second_factor.set_up(connection, tenant, bob, secret, pyotp.TOTP(secret).now())
    admin = signed_in_client(app, "anna@x.example")
    post(admin, f"/admin/users/{bob}/link", mail="1")
    post(admin, f"/admin/users/{bob}/factor-off")
    drain(catalogue, tenant)
    assert len(mailbox.letters) == 2
    assert all(re.search(r"[\u4e00-\u9fff]", str(letter["Subject"])) for letter in mailbox.letters)
    assert not second_factor.has_factor(tenant, bob)
    assert {e.event for e in sign_in_history(tenant, bob)} == {"link", "factor-off"}


def test_where_there_are_no_passwords_nobody_sets_one(same_tenant: Any, tmp_path: Path) -> None:
    from trellis.identity.accounts import INVITATION, make_link

    source = "entity_id: i, sso_url: 'https://idp.example/sso', certificate: MIIC"
    tenant = same_tenant(YAML, profile=f"sign_in: {{password: false, saml: {{acme: {{{source}}}}}}}\n")
    add_person(tenant, "anna@x.example", "admin")
    account = find_account(tenant, "anna@x.example")
    assert account is not None
    client = app_of(tenant, tmp_path).test_client()
    page = client.get("/login").text
    assert "Continue with Acme" in page
    assert 'name="password"' not in page
    assert client.get("/forgot").location == "/login"
    assert client.get(f"/reset/{make_link(tenant, account)}").status_code == 410
    assert client.get(f"/invite/{make_link(tenant, account, purpose=INVITATION)}").location == "/login"


def test_only_administrators_do_that(tenant: Any, tmp_path: Path) -> None:
    bob = add_person(tenant, "bob@x.example", "rep")
    client = signed_in_client(app_of(tenant, tmp_path), "bob@x.example")
    for what in ("link", "factor-off", "unlink", "sign-out"):
        assert post(client, f"/admin/users/{bob}/{what}").status_code == 403
