"""A report's answer as the table that the page shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from flask_babel import gettext as _
from markupsafe import Markup, escape

from trellis.formula.types import Money, Ref, Value
from trellis.model.reports.report import Order
from trellis.reports.result import Answer, Heading, Line, behind
from trellis.web.reports.links import Drill
from trellis.web.reports.words import Words

NUMBERS = ("number", "money", "duration")
MOST_NAMED = 4  # columns in a sentence


@dataclass(frozen=True)
class Head:
    """A column's head: `sort` is where a click on it leads."""

    label: str
    is_number: bool
    sort: str = ""
    order: str = ""  # ascending, descending
    is_total: bool = False


@dataclass(frozen=True)
class Above:
    """What stands over several columns."""

    label: str
    width: int
    is_total: bool = False


@dataclass(frozen=True)
class Cell:
    """A cell: the text, and where its records are. `shows`: which they are, where its number is none of records."""

    html: Markup
    is_number: bool = False
    href: str = ""
    shows: str = ""
    is_total: bool = False
    is_nothing: bool = False


@dataclass(frozen=True)
class Row:
    """A line of the table. `name` is what the line is about, for the links to its records."""

    cells: tuple[Cell, ...]
    kind: str
    depth: int
    name: str
    at: int = 0


@dataclass(frozen=True)
class Table:
    """The table."""

    above: tuple[tuple[Above, ...], ...]
    heads: tuple[Head, ...]
    rows: tuple[Row, ...]
    foot: tuple[Row, ...]
    groups: int  # how many columns at the beginning say what a line is about


def table_of(
    answer: Answer,
    words: Words,
    drill: Drill,
    sort: Sequence[Order] = (),
    sort_address: Callable[[str], str] | None = None,
    record_address: Callable[[str, object], str] | None = None,
) -> Table:
    """The answer as a table."""
    can_sort = {m.key for m in answer.report.measures}
    can_sort |= {k.key for k in answer.report.groups} | {c.key for c in answer.report.columns if c.path}
    in_force = {o.key: "descending" if o.descending else "ascending" for o in (sort or answer.report.sort)[:1]}
    heads = tuple(
        Head(
            words.text(h.label),
            h.type.kind in NUMBERS and h.role != "group",
            sort_address(h.key) if sort_address is not None and h.key in can_sort and not h.over else "",
            in_force.get(h.key, "") if not h.over else "",
            h.is_total,
        )
        for h in answer.headings
    )
    answer = replace(answer, headings=tuple(_settled(answer, at, h) for at, h in enumerate(answer.headings)))
    shown = [_row(answer, line, words, drill, record_address) for line in answer.lines]
    rows = tuple(r for r in shown if r.kind != "total")
    foot = tuple(r for r in shown if r.kind == "total")
    above = _above(answer, words)
    if above and len({h.key for h in answer.headings if h.role != "group"}) == 1:  # its name need not stand everywhere
        names = [cell.label for cell in above[-1] for _n in range(cell.width)]
        heads = tuple(replace(h, label=n or h.label) for h, n in zip(heads, names, strict=True))
        above = above[:-1]
    return Table(above, heads, rows, foot, sum(h.role == "group" for h in answer.headings))


def _settled(answer: Answer, at: int, heading: Heading) -> Heading:
    """Amounts without cents are written without them, where the whole column has none."""
    if heading.type.kind != "money" or heading.scale is not None:
        return heading
    amounts = [line.values[at] for line in answer.lines]
    is_whole = all(v.amount == v.amount // 1 for v in amounts if isinstance(v, Money))
    return replace(heading, scale=0) if is_whole else heading


def _above(answer: Answer, words: Words) -> tuple[tuple[Above, ...], ...]:
    """What stands over the columns, each name over as many as it is about."""
    deep = max((len(h.over) for h in answer.headings), default=0)
    found = []
    for level in range(deep):
        cells: list[Above] = []
        last: object = None
        for heading in answer.headings:
            at = heading.over[: level + 1] if len(heading.over) > level else ()
            label = words.text(at[-1]) if at else ""
            if cells and at and at == last:
                cells[-1] = Above(label, cells[-1].width + 1, heading.is_total)
            else:
                cells.append(Above(label, 1, heading.is_total))
            last = at
        found.append(tuple(cells))
    return tuple(found)


def _row(
    answer: Answer,
    line: Line,
    words: Words,
    drill: Drill,
    record_address: Callable[[str, object], str] | None,
) -> Row:
    name = ""
    cells: list[Cell] = []
    for at, (heading, value) in enumerate(zip(answer.headings, line.values, strict=True)):
        is_number = heading.type.kind in NUMBERS and heading.role != "group"
        if heading.role == "group":
            text = _group_text(line, at, heading, value, words)
            name = text or name
            cells.append(Cell(Markup(escape(text)), False))
            continue
        text = words.cell(heading, value)
        if line.kind == "total" and at == 0 and heading.role == "field":
            text = str(_("Total"))
        href = drill.of(line, heading) if text and value not in (0, None) else ""
        if heading.role == "field" and line.kind != "total":
            href = _field_link(value, record_address)
        is_nothing = is_number and getattr(value, "amount", value) == 0
        found = behind(line, heading) if href else None
        shows = str(_("Show %(records)s", records=words.text(found.says))) if found and found.says else ""
        cells.append(Cell(Markup(escape(text)), is_number, href, shows, heading.is_total, is_nothing))
    return Row(tuple(cells), line.kind, line.depth, name, line.column)


def _group_text(line: Line, at: int, heading: Heading, value: Value, words: Words) -> str:
    """What a line is about stands in the column of its own group, the total's in the first."""
    if line.kind == "total":
        return str(_("Total")) if at == 0 else ""
    if at != line.column:
        return ""
    if line.kind == "rest":
        from trellis.reports.drawing import REST

        value = REST
    return words.cell(heading, value)


def openings(answer: Answer, words: Words, drill: Drill) -> list[str]:
    """What numbers open that are no numbers of records, such as ratios: a sentence for each kind of records."""
    columns: dict[str, dict[str, None]] = {}
    for line in answer.lines:
        for heading in answer.headings:
            found = behind(line, heading)
            if found is not None and found.says is not None and drill.where(found.conditions, found.entity):
                columns.setdefault(words.text(found.says), {})[words.text(heading.label)] = None
    return [
        str(_("%(columns)s: a click shows %(records)s.", columns=_together(names), records=says))
        for says, names in columns.items()
    ]


def _together(names: Iterable[str]) -> str:
    """Columns by their names; so many that are called alike, such as the periods of a cohort, by what they hold."""
    known = list(names)
    return str(_(", ")).join(known) if len(known) <= MOST_NAMED else str(_("Percentages"))


def _field_link(value: Value, record_address: Callable[[str, object], str] | None) -> str:
    if record_address is None:
        return ""
    if isinstance(value, Ref) and value.title:
        return record_address(value.entity, value.id)
    return ""
