"""Passwords and the links that set them."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from tests.web.frame_tenants import PASSWORD, YAML, add_person
from werkzeug.security import generate_password_hash

from trellis.identity import accounts
from trellis.identity.accounts import (
    account_of_link,
    ask_for_link,
    find_account,
    is_password,
    make_link,
    read_account,
    use_link,
)
from trellis.identity.people import sign_ins
from trellis.identity.sessions import digest, open_session
from trellis.records.refusal import Refused


def test_a_hash_is_slow_to_try(same_tenant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What werkzeug takes of itself: scrypt, with 32 MB and some 80 ms for a try; the other tests take a cheap one."""
    monkeypatch.setattr(accounts, "generate_password_hash", generate_password_hash)
    tenant = same_tenant(YAML)
    account = read_account(tenant, add_person(tenant, "anna@x.example"))
    assert account is not None
    with tenant.begin() as connection:
        assert is_password(connection, tenant, account, PASSWORD)
        hashed = connection.execute(sa.select(tenant.tables.metadata.tables["ab_user"].c.password)).scalar_one()
    assert hashed.startswith("scrypt:32768:8:1$")


def test_a_link_works_once_and_ends_sessions(same_tenant: Any) -> None:
    tenant = same_tenant(YAML)
    person = add_person(tenant, "anna@x.example")
    account = read_account(tenant, person)
    assert account is not None
    open_session(tenant, person)
    secret = make_link(tenant, account)

    assert use_link(tenant, secret, "a brand new password") == account
    assert use_link(tenant, secret, "another new password") is None
    assert account_of_link(tenant, secret) is None
    with tenant.begin() as connection:
        assert is_password(connection, tenant, account, "a brand new password")
        assert not is_password(connection, tenant, account, PASSWORD)
        assert not connection.execute(sa.select(tenant.tables.platform.session)).all()


def test_a_refused_password_does_not_use_up_the_link(same_tenant: Any) -> None:
    tenant = same_tenant(YAML)
    account = read_account(tenant, add_person(tenant, "anna@x.example"))
    assert account is not None
    secret = make_link(tenant, account)
    with pytest.raises(Refused):
        use_link(tenant, secret, "short")
    assert use_link(tenant, secret, "long enough now") is not None


def test_a_newer_link_replaces_the_older(same_tenant: Any) -> None:
    tenant = same_tenant(YAML)
    account = read_account(tenant, add_person(tenant, "anna@x.example"))
    assert account is not None
    older, newer = make_link(tenant, account), make_link(tenant, account)
    assert account_of_link(tenant, older) is None
    assert account_of_link(tenant, newer) == account
    assert account_of_link(tenant, digest(newer)) is None


def test_an_old_link_does_not_work(same_tenant: Any) -> None:
    tenant = same_tenant(YAML)
    account = read_account(tenant, add_person(tenant, "anna@x.example"))
    assert account is not None
    secret = make_link(tenant, account)
    with tenant.begin() as connection:
        connection.execute(sa.update(tenant.tables.platform.token).values(expires_at=sa.func.now()))
    assert use_link(tenant, secret, "long enough now") is None


def test_asking_is_seen_by_administrators_and_ends_with_the_password(same_tenant: Any) -> None:
    tenant = same_tenant(YAML)
    person = add_person(tenant, "anna@x.example")
    ask_for_link(tenant, "ANNA@x.example ")
    ask_for_link(tenant, "nobody@x.example")
    assert sign_ins(tenant, [person])[person].asked

    account = find_account(tenant, "Anna@X.example")
    assert account is not None
    use_link(tenant, make_link(tenant, account), "a brand new password")
    assert not sign_ins(tenant, [person])[person].asked
