"""`messages:` of a tenant's manifest: the ways that SMS and chat messages go out by."""

from __future__ import annotations

from trellis.config.phrase import phrase
from trellis.model.compile.context import Context
from trellis.model.compile.item import Item
from trellis.model.compile.sign_in import number, secret
from trellis.model.quiet import read_quiet
from trellis.model.sign_in import MessageWay


def compile_ways(ctx: Context, item: Item | None) -> dict[str, MessageWay]:
    """The ways by channel: sms, chat."""
    return {channel: _way(ctx, each) for channel, each in (item.entries() if item is not None else ())}


def _way(ctx: Context, item: Item) -> MessageWay:
    quiet = item.get("quiet_hours")
    hours = read_quiet(quiet.text) if quiet is not None else None
    if quiet is not None and hours is None:
        ctx.problem("E215", phrase("'{name}' are no quiet hours", name=quiet.text), quiet, 'such as "21:00-08:00"')
    incoming = item.get("incoming")
    return MessageWay(
        adapter=item.word("adapter"),
        url=item.word("url"),
        secret=secret(item, "secret"),
        user=item.word("user"),
        sender=item.word("from"),
        rate=number(ctx, item, "rate", 0, 1, 10_000),
        quiet=hours,
        incoming=secret(incoming, "secret") if incoming is not None else "",
    )
