"""Checks, templates, what a formula reads, variables, and what the reference tells."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from tests.formula.world import CATALOG, TABLES, Row, World, WorldScope, in_python, in_sql

from trellis.formula.env import Env
from trellis.formula.formula import compile_formula, compile_template, constant
from trellis.formula.functions.registry import functions, reference
from trellis.formula.reader import Reader
from trellis.formula.sql.scope import SqlScope
from trellis.formula.types import ANY, MONEY, NUMBER, Money, record_of, records_of

SCOPE = WorldScope()


@pytest.mark.parametrize(
    ("source", "refuses_full", "refuses_empty"),
    [
        ("discount <= 20", False, False),
        ("discount <= 10", True, False),
        ("discount <= 10 or has_role('sales-manager')", True, False),
        ("not (discount > 10)", True, False),
        ("open and discount > 100", True, True),  # a yes-or-no that nobody has answered is no yes
        ("not (discount > 10) and not open", True, False),
        ("stage in ('open', 'lost')", True, False),
        ("discount between (0, 10)", True, False),
        ("discount != blank", False, True),
        ("is_blank(discount)", True, False),
    ],
)
def test_a_check_refuses_only_what_is_false(
    source: str, refuses_full: bool, refuses_empty: bool, world: tuple[World, Row, Row, Reader]
) -> None:
    records, full, empty, reader = world
    formula = compile_formula(source, SCOPE)
    assert formula.refuses(Env(full, reader, records)) is refuses_full
    assert formula.refuses(Env(empty, reader, records)) is refuses_empty


def test_a_template_in_both_back_ends(world: tuple[World, Row, Row, Reader], connection: sa.Connection) -> None:
    records, full, empty, reader = world
    formula = compile_template("{{{stage}}}: {name}, {account.name} {upper('}')} {amount}", SCOPE)
    for row, expected in (
        (full, "{won}: Große Sache, Acme 有限公司 } 1000.50 EUR"),
        (empty, "{}: ,  } "),
    ):
        assert in_python(formula, row, records, reader) == expected
        assert in_sql(formula, row, connection, reader) == expected


def test_what_a_formula_reads_and_uses() -> None:
    formula = compile_formula('sum(lines.amount, kind == this.stage) > 5 and account.industry == "x"', SCOPE)
    assert {("lines", "amount"), ("lines", "kind"), ("stage",), ("account", "industry")} <= formula.reads
    assert compile_formula("today() > close_date and owner == me", SCOPE).uses == {"now", "me"}
    assert compile_formula("1 + 2", SCOPE).is_constant
    assert not compile_formula("today()", SCOPE).is_constant
    assert not compile_formula("quantity", SCOPE).is_constant


def test_old_this_variables_and_parameters(world: tuple[World, Row, Row, Reader], connection: sa.Connection) -> None:
    records, full, empty, reader = world
    deal = record_of("deal")
    scope = WorldScope(variables={"old": deal, "this": deal, "draft": deal, "payload": ANY, "param.top": NUMBER})
    before = Row("deal", full.id, {**full.values, "stage": "open"})
    more: dict[str, Any] = {
        "old": before,
        "this": full,
        "variables": {"draft": full.ref, "payload": {"n": 3}, "param": {"top": Decimal(2)}},
    }
    changed = compile_formula('changed(stage) and old.stage == "open"', scope)
    assert in_python(changed, full, records, reader, **more) is True
    assert in_python(changed, full, records, reader) is False
    for source, expected in (
        ("this.account.city", "München"),
        ("draft.account.parent.name", "Holding"),
        ("draft.quantity + payload.n + param.top", 8),
        ("count(draft.lines)", 3),
        ("old.stage", "open"),
    ):
        formula = compile_formula(source, scope)
        assert in_python(formula, empty, records, reader, **more) == expected
        assert in_sql(formula, empty, connection, reader, graph=records, **more) == expected


def test_money_is_rounded_to_the_minor_unit_when_it_is_stored(
    world: tuple[World, Row, Row, Reader], connection: sa.Connection
) -> None:
    records, full, _, reader = world
    formula = compile_formula("amount * discount / 100", SCOPE, expected=MONEY)
    expected = Money(Decimal("125.06"), "EUR", Decimal("125.06"))
    assert in_python(formula.rounded(), full, records, reader) == expected
    assert in_sql(formula.rounded(), full, connection, reader) == expected
    assert in_python(formula.rounded(3), full, records, reader).amount == Decimal("125.063")


def test_a_constant_and_a_row_without_record(world: tuple[World, Row, Row, Reader]) -> None:
    reader = world[3]
    assert constant("x", compile_formula("'x'", SCOPE).type).evaluate(Env(None, reader)) == "x"


def test_a_path_is_joined_once(world: tuple[World, Row, Row, Reader]) -> None:
    reader = world[3]
    scope = SqlScope(CATALOG, "deal", TABLES["deal"].alias("t"), reader)
    formula = compile_formula('account.city == "a" and account.industry == "b" and account.parent.city == "c"', SCOPE)
    statement = sa.select(scope.alias.c.id).where(formula.predicate(scope))
    assert str(statement.select_from(scope.joined())).count("JOIN") == 2


def test_no_text_of_a_formula_becomes_sql(connection: sa.Connection, world: tuple[World, Row, Row, Reader]) -> None:
    records, full, _, reader = world
    evil = "'; drop table formula_deal; --%s %(x)s \\"
    written = evil.replace("\\", "\\\\")
    for source in (f'"{written}" & name', f'if(name == "{written}", 1, 2)', f'extra.a == "{written}"'):
        formula = compile_formula(source, SCOPE)
        assert in_python(formula, full, records, reader) == in_sql(formula, full, connection, reader)


def test_every_function_is_documented_in_one_place() -> None:
    told = {f.name: f for f in reference()}
    assert told.keys() == functions().keys()
    for f in told.values():
        assert f.doc.endswith((".", "?"))
        assert f.usage.startswith(f"{f.name}(")


def test_a_deep_formula_runs_in_both_back_ends(
    connection: sa.Connection, world: tuple[World, Row, Row, Reader]
) -> None:
    records, full, _, reader = world
    for source in ("(1 + " * 35 + "quantity" + ")" * 35, "not (" * 18 + "open" + ")" * 18, "+".join(["quantity"] * 39)):
        formula = compile_formula(source, SCOPE)
        assert in_python(formula, full, records, reader) == in_sql(formula, full, connection, reader)


def test_records_that_a_variable_holds_are_counted_and_summed(
    world: tuple[World, Row, Row, Reader], connection: sa.Connection
) -> None:
    records, full, empty, reader = world
    scope = WorldScope(variables={"found": records_of("line"), "deals": records_of("deal")})
    lines = records.children(full, "lines")
    held = {"found": tuple(line.ref for line in lines[:2]), "deals": (full.ref, empty.ref)}
    for source, expected in (
        ("count(found)", 2),
        ("sum(found.quantity)", sum(line.get("quantity") or 0 for line in lines[:2])),
        ("count(deals.lines)", len(lines)),
        ("count(found) > 5", False),
        ('any(found, product == "nothing")', False),
    ):
        formula = compile_formula(source, scope)
        assert in_python(formula, empty, records, reader, variables=held) == expected
        assert in_sql(formula, empty, connection, reader, graph=records, variables=held) == expected
        nothing = {"found": (), "deals": None}
        assert not in_python(formula, empty, records, reader, variables=nothing)
