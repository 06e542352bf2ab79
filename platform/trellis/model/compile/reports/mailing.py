"""`mail:` of a report: when it goes out, and to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trellis.model.compile.automation.triggers import cron_of, is_cron
from trellis.model.reports.report import Mailing

if TYPE_CHECKING:
    from trellis.model.compile.item import Item
    from trellis.model.compile.reports.draft import ReportDraft


def compile_mailing(draft: ReportDraft) -> Mailing | None:
    """What the report says; None where it is not mailed."""
    item = draft.item.get("mail")
    cron, to = (item.get("cron"), item.get("to")) if item is not None else (None, None)
    if item is None or cron is None or to is None or not is_cron(draft.names, cron):
        return None
    for each in to.each():
        draft.names.roles(each.get("role"))
    return Mailing(
        cron_of(cron.text),
        [_whom(each) for each in to.each()],
        item.word("format", "xlsx"),
        draft.ctx.text(item, "subject"),
    )


def _whom(item: Item) -> object:
    if not isinstance(item.data, dict):
        return item.text
    return item.word("user") or {key: each.text for key, each in item.entries()}
