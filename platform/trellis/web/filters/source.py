"""A chip as formula text: the one language that lists, reports and permissions are filtered with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from trellis.model.durations import read_duration
from trellis.model.numbers import plain, read_number
from trellis.web.filters.operators import Kind, kind_of, operator_of
from trellis.web.filters.periods import day_source, period_bounds

if TYPE_CHECKING:
    from trellis.formula.reader import Reader
    from trellis.model.entity import Entity
    from trellis.model.field import Field
    from trellis.model.model import Model
    from trellis.web.filters.chips import AnyOf, Chip

from trellis.model.locales import babel_locale
from trellis.web.cells.column import resolve

MICROSECOND = timedelta(microseconds=1)


class Unreadable(ValueError):
    """A chip that does not say anything this entity can be filtered by; with `is_value` it is what was typed."""

    def __init__(self, what: str, *, is_value: bool = False) -> None:
        super().__init__(what)
        self.is_value = is_value


def quoted(text: str) -> str:
    """Text as a literal of the formula language."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def chip_source(model: Model, entity: Entity, chip: Chip, reader: Reader) -> str:
    """The formula of a chip; Unreadable when the field, the operator or the value is unknown."""
    found = resolve(model, entity, chip.path)
    if found is None:
        raise Unreadable(chip.path)
    field = found[1]
    operator = operator_of(field, chip.operator)
    if operator is None or (operator.editor != "none" and not any(chip.operands)):
        raise Unreadable(chip.operator)
    if chip.operator in BLANK:
        return BLANK[chip.operator].format(chip.path)
    return MAKERS[kind_of(field)](field, chip, reader)


def group_source(model: Model, entity: Entity, group: AnyOf, reader: Reader) -> str:
    """The formula of a group: any of its chips."""
    parts = [chip_source(model, entity, chip, reader) for chip in group.chips]
    return parts[0] if len(parts) == 1 else "(" + " or ".join(f"({part})" for part in parts) + ")"


BLANK = {"is_blank": "is_blank({0})", "is_not_blank": "not is_blank({0})", "true": "{0}", "false": "not {0}"}


def _text(field: Field, chip: Chip, reader: Reader) -> str:
    value, path = quoted(chip.operands[0]), chip.path
    name, _, negated = chip.operator.partition(" ")
    if name in ("contains", "starts_with", "ends_with"):
        found = f"{name}(lower({path}), lower({value}))"
        return f"(is_blank({path}) or not {found})" if negated else found
    return f"lower({path}) {chip.operator} lower({value})"


def _number(field: Field, chip: Chip, reader: Reader) -> str:
    locale = babel_locale(reader.language)
    numbers = [read_number(operand, locale) for operand in chip.operands]
    _readable(chip, numbers)
    return _compared(chip, [plain(number) for number in numbers if number is not None])


def _readable(chip: Chip, read: Sequence[object | None]) -> None:
    wrong = next((text for text, value in zip(chip.operands, read, strict=True) if value is None), None)
    if wrong is not None:
        raise Unreadable(wrong, is_value=True)


def _duration(field: Field, chip: Chip, reader: Reader) -> str:
    unit = getattr(field.type, "unit", "minutes")
    lengths = [read_duration(operand, unit) for operand in chip.operands]
    _readable(chip, lengths)
    seconds = [plain(Decimal(length // MICROSECOND) / 1_000_000) for length in lengths if length is not None]
    return _compared(chip, [f"(minutes({each}) / 60)" for each in seconds])


def _compared(chip: Chip, written: Sequence[str]) -> str:
    if chip.operator == "between":
        if len(written) != 2:
            raise Unreadable(chip.operator)
        return f"{chip.path} between ({written[0]}, {written[1]})"
    return f"{chip.path} {chip.operator} {written[0]}"


def _date(field: Field, chip: Chip, reader: Reader) -> str:
    path = chip.path
    if field.type.formula_type().kind == "datetime":
        path = f"date({path})"
    if chip.operator == "period":
        bounds = period_bounds(chip.operands[0])
        if bounds is None:
            raise Unreadable(chip.operands[0])
        first, last = bounds
        parts = [f"{path} >= {first}" if first else "", f"{path} <= {last}" if last else ""]
        return " and ".join(p for p in parts if p)
    days = [day_source(operand) for operand in chip.operands]
    _readable(chip, days)
    if chip.operator == "between":
        if len(days) != 2:
            raise Unreadable(chip.operator)
        return f"{path} between ({days[0]}, {days[1]})"
    return f"{path} {chip.operator} {days[0]}"


def _choice(field: Field, chip: Chip, reader: Reader) -> str:
    if field.type.formula_type().kind == "list":
        either = " or ".join(f"{quoted(value)} in {chip.path}" for value in chip.operands)
        return f"not ({either})" if chip.operator == "has not" else f"({either})"
    values = ", ".join(quoted(value) for value in chip.operands)
    if len(chip.operands) == 1:
        return f"{chip.path} {'==' if chip.operator == 'in' else '!='} {values}"
    return f"{chip.path} {chip.operator} ({values})"


def _record(field: Field, chip: Chip, reader: Reader) -> str:
    if chip.operator == "under":
        return "(" + " or ".join(f"in_tree({chip.path}, {quoted(_id(operand))})" for operand in chip.operands) + ")"
    parts: list[str] = []
    ids: list[str] = []
    for operand in chip.operands:
        if operand == "me":
            parts.append(f"{chip.path} == me")
        elif operand == "my_team":
            parts.append(f"in_my_team({chip.path})")  # for whoever reads it, also where it is saved or shared
        else:
            ids.append(quoted(_id(operand)))
    ids = list(dict.fromkeys(ids))
    if len(ids) > 1:
        parts.append(f"{chip.path}.id in ({', '.join(ids)})")
    else:
        parts += [f"{chip.path}.id == {value}" for value in ids]
    either = " or ".join(parts)
    return f"not ({either})" if chip.operator == "not in" else f"({either})"


def _records(field: Field, chip: Chip, reader: Reader) -> str:
    either = " or ".join(f"any({chip.path}, id == {quoted(_id(operand))})" for operand in chip.operands)
    return f"not ({either})" if chip.operator == "has not" else f"({either})"


def _id(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise Unreadable(text) from None


def _other(field: Field, chip: Chip, reader: Reader) -> str:
    raise Unreadable(chip.operator)


MAKERS: dict[Kind, Callable[[Field, Chip, Reader], str]] = {
    "text": _text,
    "number": _number,
    "money": _number,
    "duration": _duration,
    "date": _date,
    "boolean": _other,
    "choice": _choice,
    "record": _record,
    "records": _records,
    "address": _text,
    "other": _other,
}
