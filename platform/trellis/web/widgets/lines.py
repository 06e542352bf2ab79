"""The grid of a record's parts (quote lines): read from a form, bound for one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dc_field
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from markupsafe import Markup

from trellis.formula.types import Value
from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.web.faults import fault_text
from trellis.web.widgets.base import UNCHANGED, widget_of
from trellis.web.widgets.bound import BoundField, draw
from trellis.web.widgets.submitted import Submitted

if TYPE_CHECKING:
    from trellis.web.widgets.form import BoundForm

WIDE = ("link", "any_link", "text", "long_text")


def lines_of(entity: Entity, entities: Mapping[str, Entity]) -> dict[str, Entity]:
    """The lists of parts that are edited in an entity's form, by name."""
    return {
        inverse.name: child
        for inverse in entity.inverses.values()
        if (child := entities.get(inverse.entity)) is not None
        and child.part_of == entity.key
        and child.parent_field == inverse.field
    }


@dataclass(frozen=True)
class Column:
    """A column of the grid."""

    field: Field

    @property
    def css(self) -> str:
        """Right-aligned for numbers, wide for texts and links."""
        kind = self.field.type.widget
        width = "is-wide" if kind in WIDE else f"is-{kind}".replace("_", "-")
        return f"is-num {width}" if self.field.type.is_numeric else width


@dataclass(frozen=True)
class Wrong:
    """What is wrong in a line, with the id that the control points at."""

    id: str
    text: str


@dataclass
class Line:
    """One row."""

    prefix: str
    cells: list[BoundField]
    id: str = ""
    errors: list[Wrong] = dc_field(default_factory=list)


@dataclass
class Lines:
    """The grid, in the place of a field."""

    form: BoundForm
    key: str
    child: Entity
    label: Any
    columns: list[Column]
    rows: list[Line]
    empty: Line
    readonly: bool = False
    totals: list[BoundField] = dc_field(default_factory=list)
    span: str = "full"
    visible: bool = True
    required: bool = False

    is_lines = True

    @property
    def name(self) -> str:
        """The name in the form."""
        return self.key

    @property
    def id(self) -> str:
        """The id that a label points at."""
        return f"f-{self.key}"

    def render(self) -> Markup:
        """The grid as HTML."""
        return draw("widgets/lines.html", f=self, grid=self)

    def summary_entries(self) -> list[tuple[str, str]]:
        """(id, what is wrong) of the list and of its lines."""
        entries = [(self.id, f"{self.label}: {text}") for text in self.form.errors(self.key)]
        for number, row in enumerate(self.rows, 1):
            for cell in row.cells:
                entries += [
                    (cell.id, _("Line %(number)s, %(field)s: %(problem)s", number=number, field=cell.label, problem=e))
                    for e in cell.errors
                ]
        return entries

    @staticmethod
    def read(child: Entity, sent: Submitted, name: str) -> list[dict[str, Any]]:
        """The rows as raw values; a new row with nothing in it does not count."""
        return [row for part in sent.rows(name) if (row := read_row(child, part)) is not None]

    @classmethod
    def bind(cls, form: BoundForm, name: str, child: Entity) -> Lines:
        """The grid with the record's lines, or with those that were typed."""
        columns = [Column(field) for field in grid_fields(child, form)]
        rows: list[Mapping[str, Any]] = []
        typed = name in form.typed
        if typed:
            rows = list(form.typed[name] or ())
        elif form.record is not None:
            rows = [
                {"id": str(line.id), **{c.field.key: line.get(c.field.key) for c in columns}}
                for line in form.store.lines(form.entity.key, form.record.id, name)
            ]
        elif name in form.given:  # a copy brings the lines of the record that it is made from
            rows = list(form.given[name])
        made = cls(form, name, child, form.entity.inverses[name].label, columns, [], Line("", []))
        made.readonly = not form.may_edit_lines(child)
        made.rows = [made._row(str(n), row, typed) for n, row in enumerate(rows)]
        made.empty = made._row("__n__", {}, False)
        if not made.rows and not made.readonly:
            made.rows = [made._row("0", {}, False)]  # to begin with; nothing in it does not count
        return made

    def _row(self, number: str, values: Mapping[str, Any], typed: bool) -> Line:
        prefix = f"{self.key}.{number}."
        line = Line(prefix, [], str(values.get("id") or ""))
        for column in self.columns:
            bound = self._cell(prefix, number, column.field, values, typed)
            line.cells.append(bound)
            line.errors += [Wrong(bound.error_id, text) for text in bound.errors]
        general = [fault_text(f, self.form.language) for f in self.form.faults if f.field == prefix[:-1]]
        line.errors += [Wrong(f"f-{prefix.replace('.', '-')}e", text) for text in general]
        return line

    def _cell(self, prefix: str, number: str, field: Field, values: Mapping[str, Any], typed: bool) -> BoundField:
        name = prefix + field.key
        value: Value = values.get(field.key)
        computed = self.form.state.computed.get(name)
        return BoundField(
            self.form.store,
            self.child,
            field,
            computed if field.is_derived and computed is not None else value,
            typed=typed and not field.is_derived,
            prefix=prefix,
            errors=self.form.errors(name),
            required=field.required,
            readonly=self.readonly or not field.is_writable,
            compact=True,
            is_stored=bool(values.get("id")),
            touched=self._is_touched(number, field, values),
        )

    def _is_touched(self, number: str, field: Field, values: Mapping[str, Any]) -> bool:
        """Whether a default leaves the cell alone: what is stored stays, unless it follows its default."""
        stands = bool(values.get("id")) and not field.follow_default
        return stands or f"{self.key}.{number}.{field.key}" in self.form.touched


def read_row(child: Entity, part: Submitted) -> dict[str, Any] | None:
    """One row as raw values; None for a new one with nothing in it."""
    values: dict[str, Any] = {}
    for key, field in child.fields.items():
        if part.has(key) and field.is_writable:
            raw = widget_of(field).read(part, field)
            if raw is not UNCHANGED:
                values[key] = raw
    if line_id := part.text("id"):
        return {"id": line_id, **values}
    return values if any(raw not in (None, "", [], (), False) for raw in values.values()) else None


def grid_fields(child: Entity, form: BoundForm) -> list[Field]:
    """The columns of a grid: what the part's own form shows, as far as the person may see it."""
    own = child.form.sections if child.form else ()
    keys = [place.field for section in own for place in section.fields] or list(child.fields)
    readable = frozenset(form.store.readable_fields(child.key))
    skipped = {child.parent_field, "position"}
    fields = [child.fields[k] for k in dict.fromkeys(keys) if k in child.fields and k in readable and k not in skipped]
    return [
        f
        for f in fields
        if not f.system and "form" not in f.hidden and (widget_of(f).compact or f.type.name == "long_text")
    ]
