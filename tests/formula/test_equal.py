"""Random well-typed formulas over random rows: Python and PostgreSQL give the same answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.formula.world import (
    CATALOG,
    NOW,
    RATES,
    TABLES,
    ZONE,
    Row,
    World,
    WorldScope,
    from_sql,
    in_python,
)

from trellis.formula.formula import FormulaError, compile_formula
from trellis.formula.reader import Reader
from trellis.formula.sql import values as sqlv
from trellis.formula.sql.scope import SqlScope
from trellis.formula.types import BOOLEAN, Money

SCOPE = WorldScope()
READER = Reader(time_zone=ZONE, now=NOW, rates=RATES, roles=frozenset({"sales-rep"}))

# rows

TEXTS = st.text(alphabet="abcXYZ äßÉİΣç'\"\\%_{}北京市東한글🙂\u3000-1,", min_size=1, max_size=8)
NUMBERS = st.decimals(min_value=-100_000, max_value=100_000, places=4) | st.sampled_from(
    [Decimal(n) for n in ("0", "1", "-1", "0.5", "2.5", "-2.5", "0.005", "99999999.9999", "7")]
)
CURRENCIES = st.sampled_from(["EUR", "USD", "JPY", "KWD"])
DATES = st.dates(date(1900, 1, 1), date(2100, 12, 31)) | st.sampled_from(
    [date(2024, 2, 29), date(1, 1, 1), date(9999, 12, 31), date(2026, 4, 1), date(2026, 3, 31)]
)
MOMENTS = st.datetimes(datetime(1971, 1, 1), datetime(2037, 12, 31), timezones=st.just(UTC)) | st.sampled_from(
    [
        datetime(2026, 3, 29, 0, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 3, 29, 1, 0, tzinfo=UTC),
        datetime(2025, 10, 26, 0, 30, tzinfo=UTC),
        datetime(2025, 10, 26, 1, 30, tzinfo=UTC),
        datetime(2026, 3, 31, 22, 0, tzinfo=UTC),
    ]
)


@st.composite
def moneys(draw: st.DrawFn) -> Money:
    amount, currency = draw(st.decimals(-9_999_999, 9_999_999, places=2)), draw(CURRENCIES)
    rate = Decimal(1) if currency == "EUR" else draw(st.sampled_from([RATES[currency], Decimal("1.5")]))
    return Money(amount, currency, amount * rate)


def _or_blank(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), values, values, values)


ROWS = st.fixed_dictionaries(
    {
        "name": _or_blank(TEXTS),
        "other": _or_blank(TEXTS),
        "stage": _or_blank(st.sampled_from(["open", "won", "lost"])),
        "amount": _or_blank(moneys()),
        "cost": _or_blank(moneys()),
        "discount": _or_blank(NUMBERS),
        "quantity": _or_blank(NUMBERS),
        "count_": _or_blank(st.integers(-1_000, 1_000)),
        "open": _or_blank(st.booleans()),
        "close_date": _or_blank(DATES),
        "started": _or_blank(DATES),
        "created_at": _or_blank(MOMENTS),
        "ended_at": _or_blank(MOMENTS),
        "at": _or_blank(st.times().map(lambda t: time(t.hour, t.minute, t.second))),
        "effort": _or_blank(st.timedeltas(timedelta(days=-400), timedelta(days=400))),
        "tags": _or_blank(st.lists(TEXTS, min_size=1, max_size=3).map(tuple)),
    }
)

# formulas, by the type of their value

Make = Callable[..., str]
_RULES: dict[str, list[tuple[str, tuple[str, ...]]]] = {
    "number": [
        ("({} + {})", ("number", "number")),
        ("({} - {})", ("number", "number")),
        ("({} * {})", ("number", "number")),
        ("({} / {})", ("number", "number")),
        ("({} % {})", ("number", "number")),
        ("-{}", ("number",)),
        ("abs({})", ("number",)),
        ("round({})", ("number",)),
        ("round({}, 2)", ("number",)),
        ("round({}, {})", ("number", "number")),
        ("floor({})", ("number",)),
        ("ceil({})", ("number",)),
        ("power({}, 3)", ("number",)),
        ("min({}, {})", ("number", "number")),
        ("max({}, {}, 3)", ("number", "number")),
        ("if({}, {}, {})", ("boolean", "number", "number")),
        ("coalesce({}, {})", ("number", "number")),
        ("len({})", ("text",)),
        ("count(tags)", ()),
        ("({} - {})", ("date", "date")),
        ("({} / {})", ("money", "money")),
        ("({} / {})", ("duration", "duration")),
        ("hours({})", ("duration",)),
        ("year({})", ("date",)),
        ("quarter({})", ("date",)),
        ("weekday({})", ("datetime",)),
        ("hour({})", ("datetime",)),
        ("day({})", ("datetime",)),
        ("workdays({}, {})", ("date", "date")),
        ("business_hours({}, {})", ("datetime", "datetime")),
        ("age({})", ("date",)),
        ("age({}, {})", ("date", "date")),
        ("{}.amount", ("money_field",)),
        ('case({}, "a", {}, "won", {})', ("text", "number", "number")),
    ],
    "text": [
        ("({} & {})", ("text", "text")),
        ("({} & {})", ("number", "boolean")),
        ("({} & {})", ("money", "date")),
        ("({} & {})", ("datetime", "duration")),
        ("upper({})", ("text",)),
        ("lower({})", ("text",)),
        ("trim({})", ("text",)),
        ("left({}, {})", ("text", "number")),
        ("right({}, 3)", ("text",)),
        ("mid({}, {}, 2)", ("text", "number")),
        ("replace({}, {}, {})", ("text", "text", "text")),
        ('join(split({}, "-"), {})', ("text", "text")),
        ("first(tags)", ()),
        ('format({}, "#,##0.00")', ("number",)),
        ('format({}, "0.0")', ("money",)),
        ('format({}, "dd.MM.yyyy")', ("date",)),
        ('format({}, "yyyy-MM-dd HH:mm:ss")', ("datetime",)),
        ("if({}, {}, {})", ("boolean", "text", "text")),
        ("coalesce({}, {})", ("text", "text")),
        ("min({}, {})", ("text", "text")),
        ("{}.currency", ("money_field",)),
    ],
    "boolean": [
        *(
            (f"({{}} {op} {{}})", (kind, kind))
            for op in ("==", "!=", "<", ">=")
            for kind in ("number", "text", "money")
        ),
        *((f"({{}} {op} {{}})", (kind, kind)) for op in ("<>", ">", "<=") for kind in ("date", "datetime", "duration")),
        ("({} < {})", ("date", "datetime")),
        ("({} >= {})", ("datetime", "date")),
        ("(created_at == {})", ("outer_date",)),
        ("(created_at <= {})", ("outer_date",)),
        ("({} > {})", ("money", "number")),
        ("({} and {})", ("boolean", "boolean")),
        ("({} or {})", ("boolean", "boolean")),
        ("not {}", ("boolean",)),
        ("({} == blank)", ("number",)),
        ("({} != blank)", ("text",)),
        ("is_blank({})", ("text",)),
        ("is_blank({})", ("money",)),
        ("({} in ({}, {}))", ("text", "text", "text")),
        ("({} not in ({}, 1))", ("number", "number")),
        ("({} between ({}, {}))", ("number", "number", "number")),
        ("({} in tags)", ("text",)),
        ("({} not in tags)", ("text",)),
        ("contains({}, {})", ("text", "text")),
        ("starts_with({}, {})", ("text", "text")),
        ("ends_with({}, {})", ("text", "text")),
        ("similar({}, {})", ("text", "text")),
        ("is_today({})", ("datetime",)),
        ("if({}, {}, {})", ("boolean", "boolean", "boolean")),
    ],
    "money": [
        ("({} + {})", ("money", "money")),
        ("({} - {})", ("money", "money")),
        ("({} + {})", ("money", "number")),
        ("({} * {})", ("money", "number")),
        ("({} / {})", ("money", "number")),
        ("-{}", ("money",)),
        ("round({})", ("money",)),
        ("abs({})", ("money",)),
        ("floor({})", ("money",)),
        ("min({}, {})", ("money", "money")),
        ("max({}, {})", ("money", "number")),
        ("if({}, {}, 0)", ("boolean", "money")),
        ("coalesce({}, {})", ("money", "money")),
        ('convert({}, "USD")', ("money",)),
        ("{}.base", ("money_field",)),
    ],
    "date": [
        ("({} + {})", ("date", "duration")),
        ("({} - {})", ("date", "duration")),
        ("({} + {})", ("date", "number")),
        ("({} + months({}))", ("date", "number")),
        ("({} - years(1))", ("date",)),
        ("date({})", ("datetime",)),
        ("date(year({}), {}, 30)", ("date", "number")),
        ("date({})", ("text",)),
        ('start_of({}, "week")', ("date",)),
        ('end_of({}, "quarter")', ("date",)),
        ('end_of({}, "month")', ("date",)),
        ("workdays({}, {})", ("date", "number")),
        ("if({}, {}, {})", ("boolean", "date", "date")),
        ("max({}, {})", ("date", "date")),
    ],
    "datetime": [
        ("({} + {})", ("datetime", "duration")),
        ("({} - {})", ("datetime", "duration")),
        ("({} + months({}))", ("datetime", "number")),
        ('start_of({}, "hour")', ("datetime",)),
        ('start_of({}, "day")', ("datetime",)),
        ('end_of({}, "day")', ("datetime",)),
        ('end_of({}, "month")', ("datetime",)),
        ("datetime(started, at)", ()),
        ("coalesce({}, {})", ("datetime", "datetime")),
    ],
    "duration": [
        ("({} - {})", ("datetime", "datetime")),
        ("({} + {})", ("duration", "duration")),
        ("({} * {})", ("duration", "number")),
        ("({} / {})", ("duration", "number")),
        ("-{}", ("duration",)),
        ("days({})", ("number",)),
        ("minutes({})", ("number",)),
    ],
}
_LEAVES: dict[str, st.SearchStrategy[str]] = {
    "number": st.sampled_from(["discount", "quantity", "count_", "double", "0", "1", "2.5", "0.01", "(blank + 1)"]),
    "text": st.sampled_from(["name", "other", "stage", '"won"', "'北京 ß'", '""', '"2024-02-29"', "'a,b-c'"]),
    "boolean": st.sampled_from(["open", "true", "false", '(stage == "won")', "(quantity > discount)"]),
    "money": st.sampled_from(["amount", "cost"]),
    "money_field": st.sampled_from(["amount", "cost"]),
    "date": st.sampled_from(["close_date", "started", "today()", "date(2024, 2, 29)"]),
    "outer_date": st.sampled_from(["today()", "date(2026, 3, 29)", "(today() - 3)"]),
    "datetime": st.sampled_from(["created_at", "ended_at", "now()"]),
    "duration": st.sampled_from(["effort", "hours(4)", "days(1.5)", "minutes(30)"]),
}


@st.composite
def formulas(draw: st.DrawFn, kind: str, depth: int) -> str:
    """A formula of a kind."""
    if depth == 0 or kind not in _RULES or draw(st.integers(0, 5)) == 0:
        return draw(_LEAVES[kind])
    shape, kinds = draw(st.sampled_from(_RULES[kind]))
    return shape.format(*[draw(formulas(k, depth - 1)) for k in kinds])


# shrinking would run the database for minutes: the message names the formula and the row instead
PHASES = (Phase.explicit, Phase.generate)
ANY_FORMULA = st.sampled_from(sorted(_RULES)).flatmap(lambda kind: formulas(kind, 3))
WORLD = World()
TABLE = TABLES["deal"]


def _one_statement(sources: list[str]) -> tuple[Any, list[Any]]:
    """One SELECT for several formulas; those beyond the limits are left out."""
    scope = SqlScope(CATALOG, "deal", TABLE.alias("t"), READER)
    columns: list[Any] = []
    made: list[Any] = []
    for source in sources:
        try:
            formula = compile_formula(source, SCOPE)
        except FormulaError as error:
            if any(f.code != "E407" for f in error.faults):
                raise
            continue
        value = formula.sql(scope)
        parts = list(sqlv.parts(value))
        if formula.type == BOOLEAN:
            parts.append(formula.predicate(scope))
        made.append((source, formula, value, len(columns), len(parts)))
        columns += parts
    named = [c.label(f"c{i}") for i, c in enumerate(columns)]
    return sa.select(scope.alias.c.id, *named).select_from(scope.joined()), made


@settings(
    phases=PHASES,
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(sources=st.lists(ANY_FORMULA, min_size=6, max_size=6), rows=st.lists(ROWS, min_size=1, max_size=4))
def test_python_and_postgresql_agree(connection: sa.Connection, sources: list[str], rows: list[dict[str, Any]]) -> None:
    records = [Row("deal", UUID(int=1_000 + i), values) for i, values in enumerate(rows)]
    connection.execute(TABLE.delete())
    WORLD.insert(connection, records)
    statement, made = _one_statement(sources)
    with connection.begin_nested():
        found = {row[0]: row[1:] for row in connection.execute(statement)}
    for record in records:
        for source, formula, value, start, count in made:
            by_python = in_python(formula, record, WORLD, READER)
            columns = found[record.id][start : start + count]
            by_sql = from_sql(formula, value, columns)
            assert by_python == by_sql, f"{source}: Python {by_python!r}, PostgreSQL {by_sql!r}, row {record.values}"
            if formula.type == BOOLEAN:
                assert (columns[1] is True) == (by_python is True), source
