"""Changing a column's type: how values are carried over, and which rows would not survive it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from trellis.storage.names import sql_text

# how text must look to become a value, for PostgreSQL 15, which cannot be asked (pg_input_is_valid came with 16)
PATTERNS = {
    "integer": r"^\s*[-+]?\d{1,18}\s*$",
    "numeric": r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$",
    "boolean": r"^\s*(t|true|y|yes|on|1|f|false|n|no|off|0)\s*$",
    "uuid": r"^\s*[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}\s*$",
    "date": r"^\s*\d{4}-\d{2}-\d{2}\s*$",
    "timestamp with time zone": r"^\s*\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?(Z|[-+]\d{2}(:?\d{2})?)?\s*$",
}


@dataclass(frozen=True)
class Conversion:
    """`using` gives the new value, `fails` holds for rows that have none; `loses` says what goes in all the others."""

    using: str
    fails: str | None = None
    loses: str = ""


@dataclass(frozen=True)
class Case:
    """What a conversion may depend on: the column in quotes, both types as PostgreSQL writes them."""

    column: str
    old: str
    new: str
    time_zone: str
    version: int


Converter = Callable[[Case], Conversion]
CONVERTERS: dict[tuple[str, str], Converter] = {}


def converter(old: str, new: str) -> Callable[[Converter], Converter]:
    """Register how a family of types becomes another."""

    def register(function: Converter) -> Converter:
        CONVERTERS[old, new] = function
        return function

    return register


def sql_type(kind: sa.types.TypeEngine[object]) -> str:
    """A type as PostgreSQL writes it."""
    return str(kind.compile(dialect=postgresql.dialect())).lower()  # type: ignore[no-untyped-call]


def family(name: str) -> str:
    """The family a type belongs to, as conversions see it."""
    if name.endswith("[]"):
        return "array"
    base = name.split("(")[0].strip()
    for known, members in _FAMILIES.items():
        if base in members:
            return known
    return base


_FAMILIES = {
    "text": {"text", "varchar", "character varying", "char", "character"},
    "integer": {"integer", "bigint", "smallint"},
    "numeric": {"numeric", "decimal", "double precision", "real"},
    "json": {"json", "jsonb"},
    "moment": {"timestamp with time zone", "timestamp", "timestamp without time zone", "timestamptz"},
}


def conversion(case: Case) -> Conversion:
    """How the values of a column become values of the new type."""
    found = CONVERTERS.get((family(case.old), family(case.new)))
    return found(case) if found else _through_text(case)


@converter("text", "text")
def _text(case: Case) -> Conversion:
    return Conversion(f"{case.column}::{case.new}", _too_long(case, case.column))


@converter("integer", "integer")
def _integer(case: Case) -> Conversion:
    return Conversion(f"{case.column}::{case.new}", _not_valid(case, f"{case.column}::text"))


@converter("integer", "numeric")
def _integer_to_numeric(case: Case) -> Conversion:
    return Conversion(f"{case.column}::{case.new}", _not_valid(case, f"{case.column}::text"))


@converter("numeric", "numeric")
def _numeric(case: Case) -> Conversion:
    scale = case.new.partition(",")[2].strip(" )")
    rounds = f"round({case.column}, {scale}) <> {case.column}" if scale.isdigit() else None
    return Conversion(f"{case.column}::{case.new}", rounds)


@converter("numeric", "integer")
def _numeric_to_integer(case: Case) -> Conversion:
    whole = f"trunc({case.column}::numeric)::text"
    return Conversion(
        f"{case.column}::{case.new}", f"{case.column} <> trunc({case.column}) OR {_not_valid(case, whole)}"
    )


@converter("moment", "date")
def _moment_to_date(case: Case) -> Conversion:
    return Conversion(f"({case.column} AT TIME ZONE {sql_text(case.time_zone)})::date", loses="the time of day")


@converter("date", "moment")
def _date_to_moment(case: Case) -> Conversion:
    return Conversion(f"{case.column}::timestamp AT TIME ZONE {sql_text(case.time_zone)}")


@converter("text", "array")
def _text_to_array(case: Case) -> Conversion:
    return Conversion(f"CASE WHEN {case.column} <> '' THEN ARRAY[{case.column}]::{case.new} END")


@converter("array", "text")
def _array_to_text(case: Case) -> Conversion:
    return Conversion(f"{case.column}[1]::{case.new}", f"cardinality({case.column}) > 1")


@converter("array", "array")
def _array(case: Case) -> Conversion:
    return Conversion(f"{case.column}::{case.new}")


@converter("json", "json")
def _json(case: Case) -> Conversion:
    return Conversion(f"{case.column}::{case.new}")


@converter("boolean", "integer")
def _boolean_to_integer(case: Case) -> Conversion:
    return Conversion(f"{case.column}::int::{case.new}")


@converter("integer", "boolean")
def _integer_to_boolean(case: Case) -> Conversion:
    return Conversion(f"{case.column} <> 0", f"{case.column} NOT IN (0, 1)")


def _through_text(case: Case) -> Conversion:
    """Any type can be written as text, and text be read as any type if it looks like it."""
    if family(case.new) == "text":
        return Conversion(f"{case.column}::{case.new}", _too_long(case, f"{case.column}::text"))
    text = f"NULLIF(btrim({case.column}::text), '')"
    return Conversion(f"{text}::{case.new}", _not_valid(case, text))


def _too_long(case: Case, text: str) -> str | None:
    length = case.new.partition("(")[2].rstrip(")")
    return f"length({text}) > {length}" if length.isdigit() else None


def _not_valid(case: Case, text: str) -> str:
    if case.version >= 160000:
        return f"NOT pg_input_is_valid({text}, {sql_text(case.new)})"
    pattern = PATTERNS.get(family(case.new)) or PATTERNS.get(case.new)
    return f"{text} !~* {sql_text(pattern)}" if pattern else f"{text} IS NOT NULL"
