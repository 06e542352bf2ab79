"""The builder of filter chips: field, operator and value by type; groups of which any may hold; a formula, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as dc_field
from typing import TYPE_CHECKING, Any

from flask import Response, jsonify, make_response, render_template, request
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.web.cells.column import resolve
from trellis.web.cells.markup import avatar
from trellis.web.cells.options import Option, options_of
from trellis.web.filters.check import formula_faults
from trellis.web.filters.chips import AnyOf, Chip
from trellis.web.filters.fields import paths_of
from trellis.web.filters.labels import title_of
from trellis.web.filters.operators import Kind, Operator, kind_of, operator_of, operators_of
from trellis.web.filters.periods import PERIODS
from trellis.web.filters.source import Unreadable, chip_source
from trellis.web.formulas import formula_words
from trellis.web.guard import signed_in
from trellis.web.lists.desk import Desk, open_desk
from trellis.web.lists.pipelines import stage_places
from trellis.web.lists.state import ListState
from trellis.web.pages.base import Page
from trellis.web.pages.saved_views import read_query

if TYPE_CHECKING:
    from trellis.model.field import Field

MOST_ROWS = 8
PICKED = 20


@dataclass(frozen=True)
class Row:
    """One condition in the builder."""

    at: int
    path: str
    kind: Kind
    operators: Sequence[Operator]
    operator: Operator
    values: tuple[str, ...]
    options: Sequence[Option]
    picked: Sequence[tuple[str, str, str]]  # id, title, face
    is_person: bool
    input_type: str
    places: Mapping[str, str] = dc_field(default_factory=dict)  # the pipelines of each stage, where there are several

    def value(self, at: int) -> str:
        """One of the values, empty when there are fewer; a period that stood here before is no date."""
        found = self.values[at] if at < len(self.values) else ""
        return "" if self.input_type == "date" and found in PERIODS else found


class FilterView(Page):
    """`/e/<entity>/filter`: the builder's fragment, applying it, and what it looks up."""

    @expose("/e/<entity>/filter", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def build(self, entity: str) -> Response | str:
        """The builder; POST applies what it holds (`apply`), or draws it again after a choice."""
        if request.method == "GET":
            desk = open_desk(entity)
            at = request.args.get("chip", "")
            if at == "where":
                return self._draw(desk, at, [], formula=desk.state.where, is_formula=True)
            chips = desk.state.chips[int(at)].chips if at.isdecimal() and int(at) < len(desk.state.chips) else ()
            return self._draw(desk, at, [*chips] or [Chip("", "")])
        desk = open_desk(entity, read_query(request.form.get("state", "")))
        at, rows = request.form.get("chip", ""), read_rows()
        if request.form.get("do") == "formula":
            return self._formula(desk)
        if request.form.get("do") == "apply":
            return self._apply(desk, at, rows)
        if request.form.get("do") == "or":
            rows.append(Chip("", ""))
        return self._draw(desk, at, rows)

    @expose("/e/<entity>/filter/pick")  # type: ignore[untyped-decorator]
    @signed_in
    def pick(self, entity: str) -> str:
        """Records that a condition on a link may name."""
        desk = open_desk(entity)
        found = resolve(desk.store.tenant.model, desk.entity, request.args.get("path", ""))
        row, q = request.args.get("row", "0"), request.args.get("q", "")
        picked = look_up(desk, found[1], q) if found else []
        return render_template("_filter_picks.html", picked=picked, row=row)

    @expose("/e/<entity>/filter/check", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def check(self, entity: str) -> Response:
        """What is wrong with a formula while it is typed: message with hint, and the place."""
        desk = open_desk(entity)
        faults = formula_faults(desk.store, desk.entity, request.form.get("where", ""))
        return jsonify([{"message": formula_words(f), "at": f.offset, "length": f.length} for f in faults])

    def _draw(
        self,
        desk: Desk,
        at: str,
        chips: Sequence[Chip],
        *,
        error: str = "",
        formula: str = "",
        is_formula: bool = False,
    ) -> str:
        paths = [p for p in paths_of(desk.store, desk.entity) if operators_of(p.field)]
        rows = [row_of(desk, number, chip) for number, chip in enumerate(chips[:MOST_ROWS])]
        return render_template(
            "_filter.html",
            **desk.places,
            at=at,
            rows=rows,
            paths=paths,
            periods=PERIODS,
            error=error,
            formula=formula,
            is_formula=is_formula,
            may_add=len(rows) < MOST_ROWS,
        )

    def _apply(self, desk: Desk, at: str, chips: Sequence[Chip]) -> Response | str:
        model, reader = desk.store.tenant.model, desk.store.principal.reader
        filled = [c for c in chips if c.path]
        for chip in filled:
            try:
                source = chip_source(model, desk.entity, chip, reader)
            except Unreadable as unreadable:
                return self._draw(desk, at, chips, error=unreadable_words(kind_at(desk, chip.path), unreadable))
            if faults := formula_faults(desk.store, desk.entity, source):
                return self._draw(desk, at, chips, error=formula_words(faults[0]))
        groups = list(desk.state.chips)
        place = int(at) if at.isdecimal() and int(at) < len(groups) else len(groups)
        groups[place : place + 1] = [AnyOf(tuple(filled))] if filled else []
        return self._go(desk, replace(desk.state, chips=tuple(groups)))

    def _formula(self, desk: Desk) -> Response | str:
        source = request.form.get("where", "").strip()
        if faults := formula_faults(desk.store, desk.entity, source):
            return self._draw(desk, "where", [], error=formula_words(faults[0]), formula=source, is_formula=True)
        return self._go(desk, replace(desk.state, where=source))

    def _go(self, desk: Desk, state: ListState) -> Response:
        response = make_response("", 200)
        response.headers["X-List"] = desk.address(state)
        return response


def kind_at(desk: Desk, path: str) -> Kind:
    """The kind of value at the end of a path."""
    found = resolve(desk.store.tenant.model, desk.entity, path)
    return kind_of(found[1]) if found else "other"


def unreadable_words(kind: Kind, wrong: Unreadable) -> str:
    """Why a condition cannot be applied: what was typed is none of the field's values, or nothing was."""
    value = str(wrong)
    known = {
        "number": _("“{value}” is not a number."),
        "money": _("“{value}” is not a number."),
        "duration": _("“{value}” is not a length of time."),
        "date": _("“{value}” is not a date."),
    }
    said = known[kind].replace("{value}", value) if wrong.is_value and kind in known else _("Please choose a value.")
    return str(said)


def read_rows() -> list[Chip]:
    """The conditions of a submitted builder; a changed field starts with its first operator."""
    form = request.form
    chips: list[Chip] = []
    for number in range(MOST_ROWS):
        if f"path-{number}" not in form or form.get("drop") == str(number):
            continue
        path = form[f"path-{number}"]
        changed = form.get(f"was-{number}") != path
        values = () if changed else tuple(v.strip()[:200] for v in form.getlist(f"value-{number}") if v.strip())
        chips.append(Chip(path, "" if changed else form.get(f"op-{number}", ""), values))
    return chips or [Chip("", "")]


def row_of(desk: Desk, number: int, chip: Chip) -> Row:
    """A condition with all that its editor offers."""
    model, reader = desk.store.tenant.model, desk.store.principal.reader
    found = resolve(model, desk.entity, chip.path) if chip.path else None
    if found is None:
        nothing = Operator("", _("is"), "none")
        return Row(number, "", "other", (), nothing, (), (), (), False, "text")
    entity, field = found
    kind, offered = kind_of(field), operators_of(field)
    operator = operator_of(field, chip.operator) or offered[0]
    options: Sequence[Option] = ()
    picked: Sequence[tuple[str, str, str]] = ()
    if kind == "choice":
        options = list(options_of(model, entity, field, reader).values())
    elif kind in ("record", "records"):
        chosen = [v for v in chip.operands if v not in ("me", "my_team")]
        known = {v: title_of(desk.store, field, v) for v in chosen}
        first = [(v, title, face(field, title, v)) for v, title in known.items()]
        picked = first + [p for p in look_up(desk, field, "") if p[0] not in known]
    return Row(
        at=number,
        path=chip.path,
        kind=kind,
        operators=offered,
        operator=operator,
        values=chip.operands,
        options=options,
        picked=picked,
        is_person="user" in field.type.formula_type().entities,
        input_type="date" if kind == "date" else "text",
        places=stage_places(entity, field, reader.language) if kind == "choice" else {},
    )


def face(field: Field, title: str, id: str) -> str:
    """The face of a record that a link may point to."""
    return avatar(title, id, square="user" not in field.type.formula_type().entities)


def look_up(desk: Desk, field: Field, q: str) -> list[tuple[str, str, str]]:
    """Records that a link field may point to, by what is typed."""
    found: list[Any] = []
    for entity in field.type.formula_type().entities:
        if desk.store.may("read", entity):
            found += desk.store.pick(entity, q, limit=PICKED)
    return [(str(c.ref.id), c.title, face(field, c.title, str(c.ref.id))) for c in found[:PICKED]]
