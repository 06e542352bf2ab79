"""Chips in words: the field, the operator, and the value as a badge, a face or a date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from flask_babel import gettext as _
from markupsafe import Markup, escape

from trellis.web.cells.column import label_of, resolve
from trellis.web.cells.markup import avatar, badge
from trellis.web.cells.options import options_of
from trellis.web.cells.times import is_far, short_date
from trellis.web.filters.operators import kind_of, operator_of
from trellis.web.filters.periods import PERIODS, day_label

if TYPE_CHECKING:
    from trellis.model.entity import Entity
    from trellis.model.field import Field
    from trellis.records.store import Store
    from trellis.web.filters.chips import AnyOf, Chip
    from trellis.web.lists.state import ListState


@dataclass(frozen=True, slots=True)
class ChipLabel:
    """A chip for people; `more` counts the alternatives of a group beyond the first."""

    field: str
    operator: str
    value: Markup
    more: int
    text: str


def chip_labels(store: Store, entity: Entity, state: ListState) -> list[ChipLabel]:
    """Every chip of a list in words."""
    return [label for group in state.chips if (label := _group_label(store, entity, group))]


def _group_label(store: Store, entity: Entity, group: AnyOf) -> ChipLabel | None:
    model, language = store.tenant.model, store.principal.reader.language
    chip = group.chips[0]
    found = resolve(model, entity, chip.path)
    operator = operator_of(found[1], chip.operator) if found else None
    name = label_of(model, entity, chip.path, language)
    if found is None or operator is None:
        return ChipLabel(name, _("unknown"), Markup(""), len(group.chips) - 1, name)
    value = _value(store, *found, chip) if operator.editor != "none" else Markup("")
    text = f"{name} {operator.label} {value.striptags()}".strip()
    return ChipLabel(name, str(operator.label), value, len(group.chips) - 1, text)


def _value(store: Store, entity: Entity, field: Field, chip: Chip) -> Markup:
    """The value of a chip as it stands in the page."""
    kind = kind_of(field)
    if kind == "choice":
        options = options_of(store.tenant.model, entity, field, store.principal.reader)
        shown = [
            badge(options[key].label, options[key].color) if key in options else badge(key, "gray")
            for key in chip.operands[:3]
        ]
        return Markup(" ".join(shown)) + _more(len(chip.operands) - 3)
    if kind in ("record", "records"):
        return Markup(", ").join(_record(store, field, o) for o in chip.operands[:2]) + _more(len(chip.operands) - 2)
    if kind == "date":
        return Markup(" – ").join(escape(_day(store, o)) for o in chip.operands)
    return Markup(" – ").join(Markup("<bdi>{}</bdi>").format(o) for o in chip.operands)


def _more(count: int) -> Markup:
    return Markup(' <span class="t-3rd">+{}</span>').format(count) if count > 0 else Markup("")


def _day(store: Store, text: str) -> str:
    if text in PERIODS:
        return str(PERIODS[text])
    if (words := day_label(text)) is not None:
        return words
    from datetime import date

    try:
        reader = store.principal.reader
        day = date.fromisoformat(text)
        return short_date(day, is_far(day, reader.today()), reader.language)
    except ValueError:
        return text


def _record(store: Store, field: Field, operand: str) -> Markup:
    """The record of a chip by its title; one that cannot be seen keeps its silence."""
    if operand == "me":
        return escape(_("Me"))
    if operand == "my_team":
        return escape(_("Me or my team"))
    title = title_of(store, field, operand)
    face = avatar(title, operand, square="user" not in field.type.formula_type().entities)
    return Markup('<span class="t-who">{}<bdi class="t-cut">{}</bdi></span>').format(Markup(face), title)


def title_of(store: Store, field: Field, id: str) -> str:
    """The title of a record that a link field may point to."""
    from trellis.records.refusal import Forbidden, Missing

    for entity in field.type.formula_type().entities:
        try:
            return store.read(entity, UUID(id), fields=()).title
        except (Missing, Forbidden, ValueError):
            continue
    return "…"
