"""`mail:` of a report or a dashboard: when it goes out, and to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trellis.model.compile.automation.triggers import cron_of, is_cron
from trellis.model.reports.report import Mailing

if TYPE_CHECKING:
    from trellis.model.compile.context import Context
    from trellis.model.compile.item import Item
    from trellis.model.compile.names import Names


def compile_mailing(ctx: Context, names: Names, owner: Item) -> Mailing | None:
    """What a report or a dashboard says; None where it is not mailed."""
    item = owner.get("mail")
    cron, to = (item.get("cron"), item.get("to")) if item is not None else (None, None)
    if item is None or cron is None or to is None or not is_cron(names, cron):
        return None
    for each in to.each():
        names.roles(each.get("role"))
    return Mailing(
        cron_of(cron.text),
        [_whom(each) for each in to.each()],
        item.word("format", "xlsx"),
        ctx.text(item, "subject"),
    )


def _whom(item: Item) -> object:
    if not isinstance(item.data, dict):
        return item.text
    return item.word("user") or {key: each.text for key, each in item.entries()}
