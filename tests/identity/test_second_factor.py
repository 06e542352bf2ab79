"""Codes of an app and recovery codes: each good once."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import pyotp
import pytest
import sqlalchemy as sa
from tests.web.frame_tenants import YAML, add_person

from trellis.identity import second_factor as factor
from trellis.storage.secrets import use_installation_key

ROLE = """
---
role: treasurer
label: Treasurer
second_factor: required
grants: {account: {read: all}}
"""


@pytest.fixture(autouse=True)
def key(tmp_path: Path) -> None:
    use_installation_key(tmp_path)


@pytest.fixture
def tenant(same_tenant: Any) -> Any:
    return same_tenant(YAML + ROLE)


def code_of(secret: str, steps: int = 0) -> str:
    """The code that an app shows now, or shows so many steps later."""
    return pyotp.TOTP(secret).at(int(time.time()) + steps * factor.STEP)


def set_up(tenant: Any, person: UUID) -> tuple[str, list[str]]:
    secret = factor.new_secret()
    with tenant.begin() as connection:
        codes = factor.set_up(connection, tenant, person, secret, code_of(secret))
    assert codes is not None
    return secret, codes


def test_it_is_set_up_with_a_code_that_an_app_shows(tenant: Any) -> None:
    person = add_person(tenant, "anna@x.example")
    secret = factor.new_secret()
    with tenant.begin() as connection:
        for wrong in ("", "12345", "abcdef", code_of(secret, 5)):
            assert factor.set_up(connection, tenant, person, secret, wrong) is None
    assert not factor.has_factor(tenant, person)
    set_up(tenant, person)
    assert factor.has_factor(tenant, person)


def test_a_code_is_taken_once_and_none_from_before(tenant: Any) -> None:
    person = add_person(tenant, "anna@x.example")
    secret, _codes = set_up(tenant, person)
    first, code = code_of(secret), code_of(secret, 1)
    assert not factor.is_code(tenant, person, first)  # the one that set it up
    assert not factor.is_code(tenant, person, "000000")
    assert factor.is_code(tenant, person, f" {code[:3]} {code[3:]} ")
    assert not factor.is_code(tenant, person, code)
    assert not factor.is_code(tenant, person, first)


def test_of_many_at_once_one_is_taken(tenant: Any) -> None:
    person = add_person(tenant, "anna@x.example")
    secret, codes = set_up(tenant, person)
    taken: list[bool] = []
    code = code_of(secret, 1)
    threads = [threading.Thread(target=lambda: taken.append(factor.is_code(tenant, person, code))) for _ in range(6)]
    threads += [
        threading.Thread(target=lambda: taken.append(factor.use_recovery_code(tenant, person, codes[0])))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert taken.count(True) == 2


def test_recovery_codes(tenant: Any) -> None:
    anna, bob = add_person(tenant, "anna@x.example"), add_person(tenant, "bob@x.example")
    _secret, codes = set_up(tenant, anna)
    set_up(tenant, bob)
    assert len(set(codes)) == factor.RECOVERY_CODES
    assert all(factor.looks_like_recovery_code(code) for code in codes)
    assert not factor.use_recovery_code(tenant, bob, codes[0])
    assert factor.use_recovery_code(tenant, anna, codes[0].upper().replace("-", " "))
    assert not factor.use_recovery_code(tenant, anna, codes[0])
    assert factor.recovery_codes_left(tenant, anna) == factor.RECOVERY_CODES - 1
    with tenant.begin() as connection:
        fresh = factor.new_recovery_codes(connection, tenant, anna)
    assert not factor.use_recovery_code(tenant, anna, codes[1])
    assert factor.use_recovery_code(tenant, anna, fresh[1])


def test_nothing_in_the_database_lets_anybody_in(tenant: Any) -> None:
    person = add_person(tenant, "anna@x.example")
    known, codes = set_up(tenant, person)
    with tenant.begin() as connection:
        rows = [
            str(row)
            for table in (tenant.tables.platform.factor, tenant.tables.platform.recovery_code)
            for row in connection.execute(sa.select(table))
        ]
    assert not any(secret in row for row in rows for secret in (known, *codes, *(c.replace("-", "") for c in codes)))


def test_another_key_of_the_installation_leaves_the_recovery_codes(tenant: Any, tmp_path: Path) -> None:
    person = add_person(tenant, "anna@x.example")
    secret, codes = set_up(tenant, person)
    use_installation_key(tmp_path / "other")
    assert not factor.is_code(tenant, person, code_of(secret, 1))
    assert factor.use_recovery_code(tenant, person, codes[0])


def test_who_has_to_have_one(tenant: Any, same_tenant: Any) -> None:
    assert factor.is_required(tenant, ["rep", "treasurer"])
    assert not factor.is_required(tenant, ["rep", "gone"])
    assert factor.is_offered(tenant, ["rep"])
    everybody = same_tenant(YAML, profile="sign_in: {second_factor: required}\n")
    assert factor.is_required(everybody, [])
    nobody = same_tenant(YAML + ROLE, profile="sign_in: {second_factor: off}\n")
    assert not factor.is_offered(nobody, ["rep"])
    assert factor.is_offered(nobody, ["treasurer"])


def test_the_picture_is_svg_without_script_or_style(tenant: Any) -> None:
    from trellis.identity.accounts import read_account

    account = read_account(tenant, add_person(tenant, "anna@x.example"))
    assert account is not None
    address = factor.app_address(tenant, account, "A" * 32)
    assert address.startswith("otpauth://totp/")
    assert "anna%40x.example" in address
    drawn = factor.picture(address)
    assert drawn.startswith("<svg ")
    assert "style" not in drawn
    assert "script" not in drawn
