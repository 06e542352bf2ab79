"""What a form is told while one types: conditions, defaults that nobody has touched, computed values as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import render_template

from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.records.pipelines.pipeline import tracks
from trellis.web.widgets.alike import alike_of
from trellis.web.widgets.bound import BoundField
from trellis.web.widgets.form import read_form
from trellis.web.widgets.lines import lines_of, read_row
from trellis.web.widgets.submitted import Submitted

if TYPE_CHECKING:
    from trellis.records.store import Store


def answer_state(
    store: Store,
    entity: Entity,
    sent: Submitted,
    touched: frozenset[str],
    id: UUID | None,
    given: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The state of every field, defaults for those nobody has touched, and what is computed, for the form's script.

    `given` is what a new record gets besides what stands in the form.
    """
    entities = store.tenant.model.entities
    values = read_form(entity, sent, entities)
    values = {k: v for k, v in values.items() if k in touched or not _follows(entity.fields.get(k))}
    children = lines_of(entity, entities)
    if id is None:
        values = {k: v for k, v in values.items() if k in children or k in touched or _keeps(entity.fields.get(k))}
    numbers = _forget_untouched(values, children, sent, touched)
    values = {**{k: v for k, v in (given or {}).items() if not sent.has(k)}, **values}
    state = store.evaluate_form(entity.key, values, id)
    reader = store.principal.reader
    answer: dict[str, Any] = {
        "fields": {
            key: {
                "visible": s.visible,
                "required": s.required,
                "readonly": s.readonly,
                **({"choices": list(s.choices)} if s.choices is not None else {}),
                **({"unfit": list(s.unfit)} if s.unfit else {}),
            }
            for key, s in state.fields.items()
        },
        "sections": dict(state.sections),
        "computed": {},
        "currencies": {},
        "alike": {},
    }
    if state.alike:
        found = alike_of(store, entity, state.alike, id)
        place = next((f.field for f in state.alike if f.field), "")
        answer["alike"] = {place: render_template("_alike_live.html", alike=found)}
    for track in tracks(entity):  # a stage of another pipeline than the one chosen: begin at its beginning
        stages = state.fields[track.field].choices if track.field in state.fields else None
        if stages and values.get(track.field) not in (None, "", *stages):
            bound = BoundField(store, entity, entity.fields[track.field], stages[0])
            answer["fields"][track.field]["value"] = bound.widget.fill(bound)
    for path, value in state.defaults.items():
        owner, field, prefix, name = _place(path, entity, children, numbers)
        if field is not None and owner is not None:
            bound = BoundField(store, owner, field, value, prefix=prefix)
            answer["fields"].setdefault(name, {})["default"] = bound.widget.fill(bound)
    for path, code in state.currencies.items():
        _owner, field, _prefix, name = _place(path, entity, children, numbers)
        if field is not None:
            answer["currencies"][name] = code
    for path, value in state.computed.items():
        owner, field, prefix, name = _place(path, entity, children, numbers)
        if field is not None:
            answer["computed"][name] = "" if value is None else field.type.display(value, reader)
    return answer


def _follows(field: Field | None) -> bool:
    """What follows its default is found anew, until the person has touched it."""
    return field is not None and field.follow_default


def _keeps(field: Field | None) -> bool:
    """What has no default is judged as it stands in the form."""
    return field is None or field.default is None


def _forget_untouched(
    values: dict[str, Any], children: Mapping[str, Entity], sent: Submitted, touched: frozenset[str]
) -> dict[str, list[str]]:
    """Leave out what defaults filled into new lines, so that they are found anew; the numbers of the rows."""
    numbers: dict[str, list[str]] = {}
    for name, child in children.items():
        if name not in values:
            continue
        listed = []
        kept = []
        for part in sent.rows(name):
            number = part.prefix[len(name) + 1 : -1]
            row = read_row(child, part)
            if row is None:
                continue
            if "id" not in row:
                row = {
                    k: v for k, v in row.items() if f"{name}.{number}.{k}" in touched or child.fields[k].default is None
                }
            else:
                row = {
                    k: v
                    for k, v in row.items()
                    if f"{name}.{number}.{k}" in touched or not _follows(child.fields.get(k))
                }
            listed.append(number)
            kept.append(row)
        values[name] = kept
        numbers[name] = listed
    return numbers


def _place(
    path: str, entity: Entity, children: Mapping[str, Entity], numbers: Mapping[str, list[str]]
) -> tuple[Entity | None, Field | None, str, str]:
    """(entity, field, prefix, name on the page) of a path like `lines.0.amount`."""
    name, _, rest = path.partition(".")
    child = children.get(name)
    if child is None or not rest:
        return entity, entity.fields.get(path), "", path
    position, _, key = rest.partition(".")
    rows = numbers.get(name, [])
    number = rows[int(position)] if position.isdigit() and int(position) < len(rows) else position
    prefix = f"{name}.{number}."
    return child, child.fields.get(key), prefix, prefix + key
