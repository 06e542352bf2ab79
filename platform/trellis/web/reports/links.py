"""The way from a number to the records behind it, and the addresses of a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from trellis.reports.conditions import both
from trellis.reports.result import Answer, Heading, Line
from trellis.web.navigation import address

LONGEST = 4000  # characters of a filter that every browser and server takes


def report_address(key: str, parts: Mapping[str, str] | Sequence[tuple[str, str]] = (), tail: str = "") -> str:
    """The address of a report's page, or of one of its files."""
    query = urlencode(parts)
    return address(f"reports/{key}{tail}") + (f"?{query}" if query else "")


class Drill:
    """Makes the addresses of the lists that show the records behind a report's numbers."""

    def __init__(self, answer: Answer, back: str) -> None:
        self.answer = answer
        self.back = back

    def of(self, line: Line, heading: Heading) -> str:
        """The records behind a number; empty where no list can show them."""
        if heading.entity is not None and heading.can_drill and line.others is not None:
            return self.where(line.others, heading.entity)
        if line.conditions is None or not heading.can_drill or heading.role == "group":
            return ""
        return self.where((*line.conditions, *heading.conditions), heading.entity)

    def where(self, conditions: Sequence[str], entity: str | None = None) -> str:
        """The records that fit the report's filter and some more conditions."""
        if not self.answer.can_drill:
            return ""
        own = self.answer.conditions if entity is None else ""
        where = both(own, *conditions)
        if len(where) > LONGEST:
            return ""
        parts = {"view": "all", "where": where, "report": self.back}
        return (
            address(f"e/{entity or self.answer.report.entity}/")
            + "?"
            + urlencode({k: v for k, v in parts.items() if v})
        )
