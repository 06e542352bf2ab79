"""Numbers of reports as filters of lists: `counted("sales-funnel?owner=…", "reached proposal")`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from trellis.model.reports.keys import Key, quoted
from trellis.model.text import Text
from trellis.records.reading import counted as filters
from trellis.records.reading.filtering import compile_all
from trellis.records.refusal import Missing
from trellis.records.store import Store
from trellis.reports.asking import Asking, Wishes, ask
from trellis.reports.conditions import both
from trellis.reports.registry import CountsApart, kind_of

if TYPE_CHECKING:
    from trellis.model.reports.report import Report
    from trellis.records.reading.counted import Predicate
    from trellis.records.session import Session
    from trellis.reports.result import Answer, Behind

FILTER = "filter"  # of the address: a filter that a reader has added


@dataclass(frozen=True)
class Counted:
    """The records behind a number: whose they are, what holds for them, and what the number is called.

    `of`: the line that it stands in, as a group's key with its value, or as a name.
    """

    entity: str
    predicate: Predicate
    label: Text
    of: tuple[Key | None, Any] | None = None


def condition(asking: Asking, number: str) -> str:
    """The filter for the records behind a number of this look at a report."""
    parts = [*asking.given.items(), *((FILTER, text) for text in asking.wishes.filters)]
    address = f"{asking.report.key}?{urlencode(parts)}" if parts else asking.report.key
    return f"{filters.NAME}({quoted(address)}, {quoted(number)})"


def listed(answer: Answer, behind: Behind) -> str:
    """The filter of the list that shows the records behind a number: what is counted first, then the report's own."""
    own = answer.conditions if behind.entity is None else ""
    first = [text for text in behind.conditions if text.startswith(filters.NAME)]
    return both(*first, own, *(text for text in behind.conditions if text not in first))


def read(store: Store, address: str, number: str) -> tuple[Report, Counted]:
    """The report of an address, and the number of that name. Raises Missing, Forbidden, Refused."""
    from trellis.reports.run import report_of

    key, _mark, query = address.partition("?")
    report, parts = report_of(store, key), parse_qsl(query, keep_blank_values=True)
    wishes = Wishes(filters=tuple(text for name, text in parts if name == FILTER))
    asking = ask(store, report, dict(parts), wishes)
    kind = kind_of(report.type)
    if not isinstance(kind, CountsApart) or not asking.can_drill:
        raise Missing(f"report {key}")
    if not report.union:
        compile_all(store.session, report.entity, wishes.filters)
    found = kind.counted(asking, number)
    if found is None:
        raise Missing(f"number {number}")
    return report, found


def _resolve(session: Session, entity: str, address: str, number: str) -> Predicate:
    _report, found = read(Store.within(session), address, number)
    if found.entity != entity:
        raise Missing(f"number {number}")
    return found.predicate


filters.resolvers.append(_resolve)
