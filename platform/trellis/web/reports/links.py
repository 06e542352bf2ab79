"""The way from a number to the records behind it, and the addresses of a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from trellis.reports.conditions import both
from trellis.reports.counted import listed
from trellis.reports.result import Answer, Behind, Heading, Line, behind
from trellis.reports.unions import about, records_of
from trellis.web.navigation import address

LONGEST = 4000  # characters of a filter that every browser and server takes


def report_address(key: str, parts: Mapping[str, str] | Sequence[tuple[str, str]] = (), tail: str = "") -> str:
    """The address of a report's page, or of one of its files."""
    query = urlencode(parts)
    return address(f"reports/{key}{tail}") + (f"?{query}" if query else "")


def list_address(entity: str, where: str, back: str) -> str:
    """The list of an entity's records that fit a filter."""
    parts = {"view": "all", "where": where, "report": back}
    return address(f"e/{entity}/") + "?" + urlencode({k: v for k, v in parts.items() if v})


class Drill:
    """Makes the addresses of the lists that show the records behind a report's numbers."""

    def __init__(self, answer: Answer, back: str) -> None:
        self.answer = answer
        self.back = back

    def of(self, line: Line, heading: Heading) -> str:
        """The records behind a number; empty where no list can show them."""
        if (found := behind(line, heading)) is None:
            return ""
        return self.where(found.conditions, found.entity)

    def where(self, conditions: Sequence[str], entity: str | None = None) -> str:
        """The records that fit the report's filter and some more conditions."""
        if not self.answer.can_drill:
            return ""
        if self.answer.report.union:
            return self._of_union(conditions)
        return self._listed(entity or self.answer.report.entity, listed(self.answer, Behind(tuple(conditions), entity)))

    def _listed(self, entity: str, where: str) -> str:
        return "" if len(where) > LONGEST else list_address(entity, where, self.back)

    def _of_union(self, conditions: Sequence[str]) -> str:
        """The list of the one entity that a number is about; else the page that tells how many there are of each."""
        report = self.answer.report
        parts = (self.answer.conditions, *conditions)
        kinds = about(report.union, conditions)
        if len(kinds) == 1:
            return self._listed(kinds[0].entity, records_of(kinds[0], parts))
        if not kinds:  # of one kind in a line of another: none
            return ""
        where = both(*parts)
        if len(where) > LONGEST:
            return ""
        query = {"where": where, "report": self.back}
        return report_address(report.key, {k: v for k, v in query.items() if v}, "/records")
