"""A grouped list: a band for every value of a field, with its count, its totals and its rows."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from babel.dates import format_skeleton
from flask_babel import gettext as _
from markupsafe import Markup, escape

from trellis.formula.types import Ref, Value
from trellis.model.locales import babel_locale
from trellis.web.cells.markup import avatar, badge
from trellis.web.cells.options import options_of
from trellis.web.filters.source import quoted
from trellis.web.lists.desk import counted
from trellis.web.lists.grid import read_page

if TYPE_CHECKING:
    from trellis.model.field import Field
    from trellis.records.record import Group
    from trellis.web.lists.desk import Desk
    from trellis.web.lists.grid import Grid

MOST = 200  # bands in one list
FIRST_ROWS = 50  # rows that come with the page; the others come as they are scrolled to
NOTHING = "-"


@dataclass(frozen=True)
class Band:
    """One group: what its row says, and the rows that came with the page."""

    key: str
    label: Markup
    count: int
    cells: Mapping[str, str]
    rows: Markup | None = None  # None: they are asked for when they come into sight
    next: str | None = None

    @property
    def counted(self) -> str:
        """How many records, in the reader's numbers."""
        return counted(self.count)


@dataclass(frozen=True)
class Bands:
    """All groups of a list."""

    field: Field
    bands: Sequence[Band]
    count: int
    left_out: int  # groups beyond the largest


def group_field_of(desk: Desk) -> Field | None:
    """The field that a list is grouped by; None when it is not, or the person may not see it."""
    field = desk.entity.fields.get(desk.state.grouping)
    return field if field is not None and field.key in desk.store.readable_fields(desk.entity.key) else None


def bands_of(desk: Desk, grid: Grid, field: Field) -> Bands:
    """The groups of a list, the rows of the first of them included."""
    store, state = desk.store, desk.state
    wanted = {path: how for path, how in state.view.totals.items() if path in grid.paths}
    ask = store.months if is_dated(field) else store.groups
    where = state.formulas(store.principal.reader)
    groups = ask(desk.entity.key, field.key, totals=wanted, where=where, q=state.q or None)
    columns = {c.path: c for c in grid.columns if c.path in wanted}
    kept = in_order(desk, field, sorted(groups, key=lambda g: -g.count)[:MOST])
    bands: list[Band] = []
    room = FIRST_ROWS
    for group in kept:
        cells = {path: columns[path].html(value) for path, value in group.totals.items() if path in columns}
        key = key_of(group.value)
        rows, following = None, None
        if room > 0:
            page = read_page(store, state, grid, more=[condition(field, key)], limit=FIRST_ROWS)
            rows, following = grid.rows(page.rows), page.next
            room -= len(page.rows) or 1
        bands.append(Band(key, label_of_band(desk, field, group.value), group.count, cells, rows, following))
    return Bands(field, bands, sum(g.count for g in groups), len(groups) - len(kept))


def is_dated(field: Field) -> bool:
    """Whether the groups are months."""
    return field.type.formula_type().kind in ("date", "datetime")


def in_order(desk: Desk, field: Field, groups: Sequence[Group]) -> list[Group]:
    """Groups as people look for them: choices in their own order, dates by time, links by title; nothing comes last."""
    options = list(options_of(desk.store.tenant.model, desk.entity, field, desk.store.principal.reader))

    def place(group: Group) -> tuple[int, object]:
        value = group.value
        if options:
            return (options.index(str(value)) if value in options else len(options)), str(value)
        if isinstance(value, Ref):
            return 0, (value.title or "").casefold()
        return 0, value

    found = sorted((g for g in groups if g.value is not None), key=place)
    lead = desk.state.sorting[0] if desk.state.sorting else None
    if lead and lead.path == field.key and lead.descending:
        found.reverse()
    return [*found, *(g for g in groups if g.value is None)]


def key_of(value: Value) -> str:
    """What names a group in an address."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Ref):
        return str(value.id)
    return value.isoformat()[:7] if isinstance(value, date) else str(value)


def condition(field: Field, key: str) -> str:
    """What holds for the records of a group."""
    path, kind = field.key, field.type.formula_type().kind
    if key == NOTHING:
        return f"is_blank({path})"
    if kind == "boolean":
        return f"{path} == {'true' if key == 'yes' else 'false'}"
    if kind == "record":
        return f"{path}.id == {quoted(key)}"
    if is_dated(field):
        year, _dash, month = key.partition("-")
        if not (year.isdecimal() and month.isdecimal() and 1 <= int(month) <= 12 and 1 <= int(year) <= 9999):
            return "false"
        at = path if kind == "date" else f"date({path})"
        last = monthrange(int(year), int(month))[1]
        return f"{at} between (date({int(year)}, {int(month)}, 1), date({int(year)}, {int(month)}, {last}))"
    return f"{path} == {quoted(key)}"


def label_of_band(desk: Desk, field: Field, value: Value) -> Markup:
    """A group's value as it stands in its row."""
    reader, name = desk.store.principal.reader, field.label.in_language(desk.language)
    if value is None:
        return Markup('<span class="t-3rd">{}</span>').format(_("Without %(field)s", field=name))
    if isinstance(value, bool):
        words = _("%(field)s: yes", field=name) if value else _("%(field)s: no", field=name)
        return escape(words)
    if isinstance(value, Ref):
        is_person = "user" in field.type.formula_type().entities
        face = Markup(avatar(value.title or "?", str(value.id), square=not is_person))
        return Markup('<span class="t-who">{}<bdi class="t-cut">{}</bdi></span>').format(face, value.title or "—")
    if isinstance(value, date):
        return escape(format_skeleton("yMMMM", value, locale=babel_locale(reader.language)))
    option = options_of(desk.store.tenant.model, desk.entity, field, reader).get(str(value))
    return Markup(badge(option.label if option else str(value), option.color if option else "gray"))
