"""How the gateways are spoken to: one function for each kind of them, in a registry.

Each makes the request; sending it is the platform's own (automation.outgoing): never to the inside, within limits.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import orjson

from trellis.model.sign_in import MessageWay


@dataclass(frozen=True)
class Call:
    """A request to a gateway."""

    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


Adapter = Callable[[MessageWay, str, str, str], Call]  # the way, its secret, to whom, the text
ADAPTERS: dict[str, Adapter] = {}


def adapter(*names: str) -> Callable[[Adapter], Adapter]:
    """Register how a kind of gateway is spoken to."""

    def register(make: Adapter) -> Adapter:
        for name in names:
            ADAPTERS[name] = make
        return make

    return register


def _json(url: str, body: Mapping[str, Any], **headers: str) -> Call:
    return Call(url, orjson.dumps(body), {"Content-Type": "application/json", **headers})


@adapter("http")
def _http(way: MessageWay, secret: str, to: str, text: str) -> Call:
    """A gateway of one's own, or most of those that take JSON: {to, from, text}."""
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    return _json(way.url, {"to": to, "from": way.sender, "text": text}, **headers)


@adapter("twilio")
def _twilio(way: MessageWay, secret: str, to: str, text: str) -> Call:
    """Twilio: `user` is the account."""
    url = way.url or f"https://api.twilio.com/2010-04-01/Accounts/{way.user}/Messages.json"
    token = base64.b64encode(f"{way.user}:{secret}".encode()).decode()
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": f"Basic {token}"}
    return Call(url, urlencode({"To": to, "From": way.sender, "Body": text}).encode(), headers)


@adapter("slack", "mattermost", "teams")
def _text(way: MessageWay, secret: str, _to: str, text: str) -> Call:
    """An incoming webhook of a room."""
    return _json(way.url or secret, {"text": text})


@adapter("feishu")
def _feishu(way: MessageWay, secret: str, _to: str, text: str) -> Call:
    """A robot in a room of Feishu or Lark."""
    return _json(way.url or secret, {"msg_type": "text", "content": {"text": text}})


@adapter("dingtalk", "wecom")
def _robot(way: MessageWay, secret: str, _to: str, text: str) -> Call:
    """A robot in a room of DingTalk or WeCom."""
    return _json(way.url or secret, {"msgtype": "text", "text": {"content": text}})
