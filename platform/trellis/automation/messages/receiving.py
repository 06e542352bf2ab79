"""What gateways send us: how each signs it and what it says. One function for each kind of them, in a registry."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

import orjson

from trellis.automation.clock import now
from trellis.automation.workflows.incoming import NotSigned, verify

TOLERANCE = 300  # seconds between the gateway's clock and ours


@dataclass(frozen=True)
class Delivery:
    """A request as it came. `headers`: their names in small letters."""

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Arrived:
    """What a request says: a message; or, without a text, only what is to be answered."""

    id: str = ""
    sender: str = ""
    text: str = ""
    answer: bytes = b"{}"
    answer_type: str = "application/json"


class NotUnderstood(Exception):
    """The request is signed and says nothing that we know: the text tells what is missing."""


Receiver = Callable[[Delivery, str], Arrived]  # the request and the secret; raises NotSigned, NotUnderstood
RECEIVERS: dict[str, Receiver] = {}


def receiver(name: str) -> Callable[[Receiver], Receiver]:
    """Register how a kind of gateway tells us of messages."""

    def register(read: Receiver) -> Receiver:
        RECEIVERS[name] = read
        return read

    return register


@receiver("http")
def _http(given: Delivery, secret: str) -> Arrived:
    """Standard Webhooks: {from, text}, signed as every webhook that comes in here."""
    id = verify(secret, given.headers, given.body)
    said = _json(given.body)
    return Arrived(id, str(said.get("from") or ""), str(said.get("text") or ""))


@receiver("twilio")
def _twilio(given: Delivery, secret: str) -> Arrived:
    """Twilio: a form, signed with the account's token over the address and the fields in order."""
    fields = parse_qsl(given.body.decode("utf-8", "replace"), keep_blank_values=True)
    text = given.url + "".join(name + value for name, value in sorted(fields))
    wanted = base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha1).digest()).decode()
    _same(given.headers.get("x-twilio-signature", ""), wanted, "X-Twilio-Signature")
    said = dict(fields)
    silent = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'
    return Arrived(
        said.get("MessageSid") or said.get("SmsSid", ""), said.get("From", ""), said.get("Body", ""), silent, "text/xml"
    )


@receiver("slack")
def _slack(given: Delivery, secret: str) -> Arrived:
    """Slack's events: signed with the app's signing secret; what robots write is left."""
    at = given.headers.get("x-slack-request-timestamp", "")
    _in_time(at, "X-Slack-Request-Timestamp")
    wanted = "v0=" + hmac.new(secret.encode(), f"v0:{at}:".encode() + given.body, hashlib.sha256).hexdigest()
    _same(given.headers.get("x-slack-signature", ""), wanted, "X-Slack-Signature")
    said = _json(given.body)
    if said.get("type") == "url_verification":
        return Arrived(answer=orjson.dumps({"challenge": str(said.get("challenge", ""))}))
    event = said.get("event")
    if not isinstance(event, Mapping) or event.get("type") != "message" or event.get("bot_id") or event.get("subtype"):
        return Arrived()
    return Arrived(str(said.get("event_id") or ""), str(event.get("user") or ""), str(event.get("text") or ""))


@receiver("dingtalk")
def _dingtalk(given: Delivery, secret: str) -> Arrived:
    """DingTalk's robots: the moment is signed with the app's secret."""
    at = given.headers.get("timestamp", "")
    _in_time(at[:-3], "timestamp")
    wanted = base64.b64encode(hmac.new(secret.encode(), f"{at}\n{secret}".encode(), hashlib.sha256).digest()).decode()
    _same(given.headers.get("sign", ""), wanted, "sign")
    said = _json(given.body)
    written = said.get("text")
    text = str(written.get("content") or "") if isinstance(written, Mapping) else ""
    return Arrived(str(said.get("msgId") or ""), str(said.get("senderNick") or said.get("senderId") or ""), text)


def _json(body: bytes) -> Mapping[str, object]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise NotUnderstood("the body is no JSON") from error
    if not isinstance(found, dict):
        raise NotUnderstood("the body is no object")
    return found


def _same(given: str, wanted: str, name: str) -> None:
    if not hmac.compare_digest(given.encode(), wanted.encode()):
        raise NotSigned(f"{name} does not fit")


def _in_time(at: str, name: str) -> None:
    if not (at.isdecimal() and len(at) <= 12):
        raise NotSigned(f"{name} is missing")
    if abs(now().timestamp() - int(at)) > TOLERANCE:
        raise NotSigned(f"{name} is more than five minutes away")
