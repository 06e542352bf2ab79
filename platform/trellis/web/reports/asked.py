"""What a request asks of a report: params, order, columns, drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from flask import request
from werkzeug.datastructures import MultiDict

from trellis.model.reports.report import Order, Report
from trellis.reports.asking import Wishes

NO_CHART = "none"


@dataclass(frozen=True)
class Asked:
    """The address of a report, read."""

    report: Report
    given: Mapping[str, str]
    sort: tuple[Order, ...] = ()
    columns: tuple[str, ...] = ()
    chart: str = ""
    filters: tuple[str, ...] = ()
    saved: str = ""  # the variant that this look began with
    ran: str = ""  # the run in the background whose rows are shown

    def without_saved(self) -> Asked:
        """The same, beginning with no variant."""
        return replace(self, saved="")

    @property
    def wishes(self) -> Wishes:
        """What the reader changes for this look."""
        return Wishes(self.sort, self.columns, self.chart or None, self.filters)

    def parts(self, **changed: str | None) -> list[tuple[str, str]]:
        """The address's parameters, some of them changed; None takes one away."""
        found: list[tuple[str, str]] = list(self.given.items())
        if self.sort:
            found.append(("sort", write_orders(self.sort)))
        if self.columns:
            found.append(("cols", ",".join(self.columns)))
        if self.chart:
            found.append(("chart", self.chart))
        found += [("filter", text) for text in self.filters]
        if self.saved:
            found.append(("saved", self.saved))
        if self.ran:
            found.append(("ran", self.ran))
        kept = [(k, v) for k, v in found if k not in changed]
        return kept + [(k, v) for k, v in changed.items() if v is not None]

    def sorted_by(self, key: str) -> list[tuple[str, str]]:
        """The parameters with another order: downwards first, then upwards, then the report's own."""
        first = self.sort[0] if self.sort else None
        if first is None or first.key != key:
            return self.parts(sort=f"-{key}")
        return self.parts(sort=key if first.descending else None)


def write_orders(orders: Sequence[Order]) -> str:
    """`stage,-amount`."""
    return ",".join(f"-{o.key}" if o.descending else o.key for o in orders)


def read_asked(report: Report, args: MultiDict[str, str] | None = None) -> Asked:
    """The address of this request."""
    given = request.args if args is None else args
    orders = tuple(
        Order(part.removeprefix("-"), part.startswith("-"))
        for part in given.get("sort", "").split(",")
        if part.strip("-")
    )
    columns = [c for text in given.getlist("cols") for c in text.split(",") if c]
    return Asked(
        report,
        {key: given[key] for key in report.params if key in given},
        orders[:3],
        tuple(dict.fromkeys(columns)),
        given.get("chart", ""),
        tuple(text for text in given.getlist("filter") if text.strip()),
        given.get("saved", ""),
        given.get("ran", ""),
    )
