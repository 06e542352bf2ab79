"""Which passwords are taken."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trellis.identity.accounts import Account
from trellis.identity.passwords import LONGEST, check_password, is_breached
from trellis.records.refusal import Refused

ANNA = Account(uuid4(), "Anna Lindqvist", "anna@acme-tools.example", 1)


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "passwordpassword",
        "Password123",
        "Summer2024!",
        "aaaaaaaaaaaa",
        "abcdefghijkl",
        "x" * (LONGEST + 1),
        "anna@acme-tools.example",
        "Anna Lindqvist",
        "lindqvistlindqvist",
        "acme-tools1",
        "trellis-trellis",
        "with\0nul bytes in it",
    ],
)
def test_refused(password: str) -> None:
    with pytest.raises(Refused):
        check_password(password, ANNA)


@pytest.mark.parametrize(
    "password", ["correct horse battery", "a brand new password", "k8$hfj2lss", "春眠不觉晓处处闻啼鸟"]
)
def test_taken(password: str) -> None:
    check_password(password, ANNA)


def test_the_list_is_told_from_what_is_merely_easy() -> None:
    assert is_breached(" Passw0rd1 ")
    assert is_breached("dragon1987")
    assert not is_breached("dragon-fruit-and-rice")


def test_a_tenant_may_ask_for_more_letters(make_tenant: Any) -> None:
    from tests.web.frame_tenants import YAML

    tenant = make_tenant(YAML, profile="sign_in: {password: {min_length: 16}}\n")
    check_password("mushroom quiche", ANNA)
    with pytest.raises(Refused) as refused:
        check_password("mushroom quiche", ANNA, tenant)
    assert refused.value.faults[0].params == {"min": 16}


@given(st.text(max_size=300))
def test_every_text_gets_an_answer(password: str) -> None:
    with suppress(Refused):
        check_password(password, ANNA)
        assert 10 <= len(password) <= LONGEST
