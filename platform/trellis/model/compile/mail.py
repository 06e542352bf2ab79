"""`mail:` of a tenant's manifest: the servers that letters go out and come in by."""

from __future__ import annotations

from datetime import timedelta
from email.utils import parseaddr
from typing import Any

from trellis.config.phrase import phrase
from trellis.model.compile.context import Context
from trellis.model.compile.item import Item
from trellis.model.compile.sign_in import encrypted, length_of, number, secret
from trellis.model.sign_in import Incoming, MailAccount, MailTokens
from trellis.model.tracking import Tracking

PORTS = {"tls": 465, "starttls": 587, "none": 25}
INCOMING = {"tls": 993, "starttls": 143, "none": 143}
SOONEST, LATEST = timedelta(minutes=1), timedelta(days=1)


def compile_mail(ctx: Context, item: Item | None) -> MailAccount | None:
    """The first account; None when the manifest names none."""
    return _account(ctx, item, "", None) if item is not None else None


def compile_accounts(ctx: Context, item: Item | None) -> dict[str, MailAccount]:
    """The further accounts by key; what one does not say is as the first one has it."""
    accounts = item.get("accounts") if item is not None else None
    if accounts is None:
        return {}
    first = ctx.quietly(lambda: compile_mail(ctx, item))  # what is wrong with it is said already
    return {key: _account(ctx, each, key, first) for key, each in accounts.entries()}


def _account(ctx: Context, item: Item, key: str, first: MailAccount | None) -> MailAccount:
    own = item.get("server") is not None or first is None
    security: Any = item.word("security", "starttls" if own or first is None else first.security)
    sender = item.get("from")
    if sender is not None and "@" not in parseaddr(sender.text)[1]:
        ctx.problem(
            "E219", phrase("'{name}' is no e-mail address", name=sender.text), sender, "write Acme <crm@acme.example>"
        )
    known_port = PORTS.get(security, 587) if own or first is None else first.port
    oauth2 = _tokens(ctx, item, security)
    if oauth2 is None and first is not None and not own and item.get("password") is None:
        oauth2 = first.oauth2
    return MailAccount(
        server=item.word("server", first.server if first is not None else ""),
        port=number(ctx, item, "port", known_port, 1, 65535),
        security=security,
        user=item.word("user", "" if own or first is None else first.user),
        password=secret(item, "password") or ("" if own or first is None else first.password),
        sender=item.word("from"),
        reply_to=item.word("reply_to"),
        key=key,
        rate=number(ctx, item, "rate", 0, 1, 10_000),
        incoming=_incoming(ctx, item.get("incoming"), oauth2),
        track=tracking(item) if item.get("track") is not None or first is None else first.track,
        reply_tokens=item.flag("reply_tokens", not own and first is not None and first.reply_tokens),
        oauth2=oauth2,
    )


def _tokens(ctx: Context, item: Item, security: str) -> MailTokens | None:
    """What `oauth2:` of an account or a mailbox says."""
    said = item.get("oauth2")
    if said is None:
        return None
    if item.get("password") is not None:
        ctx.problem("E219", "a token stands for the password: write one of them", said, at_key=True)
    if security == "none":
        ctx.problem("E219", "a token goes by an encrypted way only", said, "write security: tls", at_key=True)
    if item.get("user") is None:
        ctx.problem(
            "E219", "a token is somebody's: `user` is missing", said, "write user: crm@acme.example", at_key=True
        )
    if said.get("refresh_token") is None and said.get("client_secret") is None:
        hint = "add refresh_token: {env: NAME}, or client_secret: {env: NAME} of a program with a right of its own"
        ctx.problem("E219", "nothing here proves who asks for tokens", said, hint, at_key=True)
    if (address := said.get("token_url")) is not None:
        encrypted(ctx, address)
    return MailTokens(
        token_url=said.word("token_url"),
        client_id=said.word("client_id"),
        client_secret=secret(said, "client_secret"),
        refresh_token=secret(said, "refresh_token"),
        scope=said.word("scope"),
    )


def tracking(item: Item) -> Tracking | None:
    """What `track:` says; None where it is not said."""
    said = item.get("track")
    if said is None:
        return None
    if isinstance(said.data, bool):
        return Tracking(said.data, said.data)
    words = item.words("track")
    return Tracking("opens" in words, "clicks" in words)


def _incoming(ctx: Context, item: Item | None, outgoing: MailTokens | None) -> Incoming | None:
    """The mailbox; without a password or tokens of its own it is signed in to as the server for what goes out."""
    if item is None:
        return None
    security: Any = item.word("security", "tls")
    oauth2 = _tokens(ctx, item, security)
    if oauth2 is None and item.get("password") is None and security != "none":
        oauth2 = outgoing
    return Incoming(
        server=item.word("server"),
        port=number(ctx, item, "port", INCOMING.get(security, 993), 1, 65535),
        security=security,
        user=item.word("user"),
        password=secret(item, "password"),
        folder=item.word("folder", "INBOX"),
        every=length_of(ctx, item, "every", timedelta(minutes=2), SOONEST, LATEST),
        oauth2=oauth2,
    )
