"""Signatures are those of the standard: its own library takes each of them, and nothing that was changed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from trellis.api.webhooks.signing import headers, new_secret, sign

IDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40).filter(
    lambda s: "." not in s
)


@given(IDS, st.text())
def test_the_standards_library_takes_it(id: str, text: str) -> None:
    secret, body = new_secret(), text.encode("utf-8", "surrogatepass")
    given_ = headers([secret], id, datetime.now(UTC), body)
    try:
        content = body.decode()
    except UnicodeDecodeError:
        return
    signed = Webhook(secret).sign(id, datetime.fromtimestamp(int(given_["webhook-timestamp"]), UTC), content)
    assert given_["webhook-signature"] == signed


@given(st.binary(max_size=200), st.binary(min_size=1, max_size=10))
def test_what_was_changed_is_not_taken(body: bytes, more: bytes) -> None:
    secret, now = new_secret(), datetime.now(UTC)
    signature = sign(secret, "msg_1", now, body)
    assert signature != sign(secret, "msg_1", now, body + more)
    assert signature != sign(secret, "msg_2", now, body)
    assert signature != sign(new_secret(), "msg_1", now, body)


def test_the_example_of_the_standard() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    at = datetime.fromtimestamp(1614265330, UTC)
    assert sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}') == (
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


def test_either_of_two_secrets_is_taken() -> None:
    old, new, now = new_secret(), new_secret(), datetime.now(UTC)
    both = headers([new, old], "msg_1", now, b'{"a": 1}')
    for secret in (old, new):
        assert Webhook(secret).verify(b'{"a": 1}', both) == {"a": 1}
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(b'{"a": 1}', both)
