"""Customers by recency, frequency and money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from trellis.config.phrase import phrase
from trellis.model.compile.reports.draft import ReportDraft
from trellis.model.compile.reports.kinds.registry import kind
from trellis.model.reports.keys import Key
from trellis.model.reports.report import Measure
from trellis.model.text import Text


@dataclass(frozen=True)
class RfmSpec:
    """How customers are told apart."""

    scale: str
    thresholds: Mapping[str, list[Decimal]]


@kind("rfm")
def rfm(draft: ReportDraft) -> dict[str, Any]:
    """Customers by recency, frequency and money."""
    found = {word: draft.item.get(word) for word in ("by", "at", "amount")}
    for word, item in found.items():
        if item is None:
            draft.ctx.problem("E204", phrase("'{name}' is missing", name=word), draft.item, at_key=True)
    by, at = draft.formula("by", "record"), draft.formula("at", "date", "datetime")
    amount = draft.formula("amount", "money", "number")
    if by is None or at is None or amount is None:
        return {}
    measures = {"last": f"max({at.source})", "times": "count()", "worth": f"sum({amount.source})"}
    limits = draft.item.get("thresholds")
    thresholds = {
        key: [Decimal(str(n.data)) for n in each.each() if isinstance(n.data, int | float | Decimal)]
        for key, each in (limits.entries() if limits is not None else ())
    }
    return {
        "groups": (Key("by", Text("by"), by),),
        "measures": tuple(Measure(k, Text(k), draft.measure_of(f, draft.entity)) for k, f in measures.items()),
        "spec": RfmSpec(draft.item.word("scale", "quintiles"), thresholds),
        "known": ("segment", "customers", "share", "recency", "frequency", "mean", "worth"),
    }
