"""Compiles reports: every formula with its place in the file, every name looked up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trellis.config.without import leave_out
from trellis.model.compile.context import Context, humanize
from trellis.model.compile.item import Item
from trellis.model.compile.renamed import unknown_name
from trellis.model.compile.reports.draft import ReportDraft
from trellis.model.compile.reports.kinds import KINDS
from trellis.model.compile.reports.mailing import compile_mailing
from trellis.model.compile.reports.snapshots import check_snapshot
from trellis.model.compile.reports.unions import close_union
from trellis.model.compile.types import Types
from trellis.model.reports.report import Report

if TYPE_CHECKING:
    from trellis.config.layer import Document
    from trellis.config.problem import Problem
    from trellis.config.stack import Configuration


def compile_reports(ctx: Context, types: Types) -> dict[str, Report]:
    """Every report of the configuration."""
    found: dict[str, Report] = {}
    for key, document in list(ctx.configuration.of("report").items()):
        item = Item(dict(document.data), document.place, "", document.name)
        before = len(ctx.problems)
        report = compile_report(ctx, types, key, item)
        if _asks_for_what_went(ctx.configuration, document, ctx.problems[before:]):
            del ctx.problems[before:]
            leave_out(ctx.configuration.documents, "report", key)
        elif report is not None:
            found[key] = report
    return found


def _asks_for_what_went(configuration: Configuration, document: Document, problems: Sequence[Problem]) -> bool:
    """Whether a report of an earlier layer cannot be made because a later one's `without:` took a field."""
    layers = [layer.name for layer in configuration.layers]
    written = layers.index(document.layer) if document.layer in layers else -1
    lost = {name for fields in configuration.lost.values() for name, number in fields.items() if written < number}
    unknown = {unknown_name(problem) for problem in problems if problem.is_error}
    return bool(lost & unknown)


def compile_report(ctx: Context, types: Types, key: str, item: Item) -> Report | None:
    """One report, and what is wrong with it among the problems."""
    kind = item.word("type", "summary")
    compile_kind = KINDS.get(kind)
    draft = ReportDraft.open(ctx, types, item)
    if compile_kind is None or draft is None:  # of an unknown type the check of shapes has told
        return None
    condition = draft.condition("filter")
    more = compile_kind(draft)
    draft.check_names(more)
    module = item.word("module") or draft.module
    description = ctx.text(item, "description")
    made = Report(
        key=key,
        type=kind,
        label=ctx.text(item, "label", humanize(key)),
        entity=draft.entity,
        icon=item.word("icon", "chart-bar"),
        module=module or None,
        description=description,
        roles=item.words("roles"),
        filter=condition,
        params=draft.params,
        mail=compile_mailing(ctx, draft.names, item),
        snapshot=item.word("snapshot") or None,
        **more,
    )
    made = close_union(draft, made)
    check_snapshot(draft, made)
    return None if draft.union is not None and not made.union else made
