"""Standard Webhooks: the secret, the headers, the signature (https://www.standardwebhooks.com)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime

PREFIX = "whsec_"
BYTES = 32  # of a new secret; the standard allows 24 to 64


def new_secret() -> str:
    """A secret that nobody has seen."""
    return PREFIX + base64.b64encode(secrets.token_bytes(BYTES)).decode()


def sign(secret: str, id: str, at: datetime, body: bytes) -> str:
    """The signature of a message with one secret: `v1,…`."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = b".".join((id.encode(), str(int(at.timestamp())).encode(), body))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def headers(keys: Sequence[str], id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of a message; with several secrets, while one takes another's place, several signatures."""
    return {
        "webhook-id": id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(sign(key, id, at, body) for key in keys),
    }
