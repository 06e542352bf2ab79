"""`email:` documents, resolved: each text with its translations, formulas compiled."""

from __future__ import annotations

from trellis.model.automation.email import EmailTemplate
from trellis.model.automation.steps import NOTHING
from trellis.model.compile.context import Context, humanize
from trellis.model.compile.formulas import condition, given, said
from trellis.model.compile.item import Item
from trellis.model.compile.mail import tracking
from trellis.model.compile.names import Names
from trellis.model.compile.types import Types
from trellis.model.given import Given


def compile_emails(ctx: Context, types: Types) -> dict[str, EmailTemplate]:
    """The messages by key."""
    found = {}
    for key, document in ctx.configuration.of("email").items():
        item = Item(dict(document.data), document.place, "", document.name)
        if (made := _email(ctx, types, key, item)) is not None:
            found[key] = made
    return found


def _email(ctx: Context, types: Types, key: str, item: Item) -> EmailTemplate | None:
    names = Names(ctx, types)
    written = item.get("entity")
    entity = names.entity(written)
    if written is not None and entity is None:
        return None
    scope = names.scope(entity)

    def text(word: str) -> Given:
        part = item.get(word)
        return said(ctx, part, scope) if part is not None else NOTHING

    def value(word: str) -> Given:
        part = item.get(word)
        return given(ctx, part, scope) if part is not None else NOTHING

    if not any(item.get(word) is not None for word in ("body", "html", "text")):
        ctx.problem("E204", "'body' is missing", item, "what the message says", at_key=True)
    return EmailTemplate(
        key=key,
        entity=entity,
        subject=text("subject"),
        body=text("body" if item.get("body") is not None else "text"),
        html=text("html"),
        sender=value("from"),
        reply_to=value("reply_to"),
        consent=condition(ctx, item.get("consent"), scope),
        unsubscribe=item.flag("unsubscribe"),
        label=ctx.text(item, "label", humanize(key)),
        track=tracking(item),
    )
