"""Where a formula is wrong: the code, the faulty text itself, part of the message, part of the hint."""

from __future__ import annotations

import pytest
from tests.formula.world import WorldScope

from trellis.formula import limits
from trellis.formula.formula import FormulaError, compile_formula, compile_template
from trellis.formula.types import BOOLEAN, MONEY, NUMBER, TEXT, Type

SCOPE = WorldScope(variables={"setting.points": NUMBER, "param.from": NUMBER})

FAULTS: list[tuple[str, str, str, str, str]] = [
    ("", "E401", "", "empty", ""),
    ("1 +", "E401", "+", "too early", "missing"),
    ("a b", "E401", "b", "unexpected 'b'", ""),
    ("quantity > 1 && open", "E401", "&", "unexpected '&'", ""),
    ("quantity > 1 || open", "E401", "|", "unexpected '|'", "or"),
    ('name contains "x"', "E401", "contains", "unexpected 'contains'", "contains(text, part)"),
    ("'abc", "E401", "'", "unexpected", "not closed"),
    ("1 < 2 < 3", "E401", "<", "unexpected '<'", "and"),
    ("nmae", "E402", "nmae", "unknown name 'nmae'", "did you mean 'name'?"),
    ("account.industri", "E402", "industri", "no 'industri'", "did you mean 'industry'?"),
    ("  quantity + acount.name", "E402", "acount", "unknown name", "did you mean 'account'?"),
    ("amount.curency", "E402", "curency", "a money has no 'curency'", "currency"),
    ("setting.poinst", "E402", "poinst", "unknown setting", "points"),
    ("param.to", "E402", "to", "unknown param", "from"),
    ("cuont(lines)", "E403", "cuont", "unknown function", "did you mean 'count'?"),
    ("round()", "E404", "round()", "round cannot take 0", "write round(x, places)"),
    ("if(open)", "E404", "if(open)", "if cannot take 1", "write if("),
    ("name + 1", "E405", "name + 1", "cannot calculate text + number", ""),
    ("upper(quantity)", "E405", "quantity", "upper takes a text here, not a number", "write upper(text)"),
    ("open and quantity", "E405", "quantity", "a boolean is expected here", "compare it"),
    ("quantity == name", "E405", "quantity == name", "cannot compare", ""),
    ("effort > 3", "E405", "effort > 3", "cannot compare a duration with a number", "days(3)"),
    ("account == owner", "E405", "account == owner", "never", ""),
    ("open < true", "E405", "open < true", "neither less nor greater", ""),
    ("quantity < blank", "E405", "quantity < blank", "blank is neither", "is_blank"),
    ("quantity in name", "E405", "name", "'in' needs a list", "contains"),
    ('if(open, 1, "x")', "E405", 'if(open, 1, "x")', "different types", ""),
    ("lines", "E405", "lines", "a list of records is no value", "count"),
    ("lines.amount", "E405", "lines.amount", "of several records", "sum"),
    ("sum(quantity)", "E405", "quantity", "goes over an inverse list", "write sum("),
    ("sum(lines.product)", "E405", "lines.product", "sum takes a number", ""),
    ("count(lines, discount > 1)", "E402", "discount", "unknown name", "this.discount"),
    ("sum(lines.quantity * contacts.born)", "E405", "lines.quantity * contacts.born", "over one list", ""),
    ("count(contacts, via.prat == 'x')", "E402", "prat", "no column", "part"),
    ('start_of(close_date, "hour")', "E405", '"hour"', "unknown day unit", "year"),
    ("start_of(close_date, name)", "E405", "name", "a text must be written", "day"),
    ('format(close_date, "HH")', "E405", '"HH"', "no pattern", ""),
    ("changed(account.name)", "E405", "account.name", "fields of the record", ""),
    ("1" * 41, "E407", "1" * 41, "at most 40 digits", ""),
]


@pytest.mark.parametrize(("source", "code", "spot", "message", "hint"), FAULTS, ids=[f[0] for f in FAULTS])
def test_a_fault_says_where_and_what_to_do(source: str, code: str, spot: str, message: str, hint: str) -> None:
    with pytest.raises(FormulaError) as caught:
        compile_formula(source, SCOPE)
    (fault,) = caught.value.faults
    assert fault.code == code
    assert source[fault.offset : fault.offset + fault.length] == spot
    assert message in fault.message
    assert hint in fault.hint


def test_all_faults_are_found_at_once_in_the_order_of_the_text() -> None:
    source = 'if(nmae == "x", upper(quantity), acount.name) & (open + 1)'
    with pytest.raises(FormulaError) as caught:
        compile_formula(source, SCOPE)
    spots = [source[f.offset : f.offset + f.length] for f in caught.value.faults]
    assert spots == ["nmae", "quantity", "acount", "open + 1"]


def test_faults_of_a_template_count_from_the_beginning_of_the_text() -> None:
    text = "Dear {nmae}, {{ {count(linse)} }}"
    with pytest.raises(FormulaError) as caught:
        compile_template(text, SCOPE)
    assert [text[f.offset : f.offset + f.length] for f in caught.value.faults] == ["nmae", "linse"]
    with pytest.raises(FormulaError, match="not closed"):
        compile_template("Dear {name", SCOPE)


@pytest.mark.parametrize(
    ("source", "expected", "fits"),
    [
        ("quantity", MONEY, True),
        ("amount", NUMBER, True),
        ("name", BOOLEAN, False),
        ("quantity", TEXT, False),
        ("person", TEXT, True),
        ("blank", MONEY, True),
        ("account", Type("record", ("account",)), True),
        ("account", Type("record", ("user",)), False),
    ],
)
def test_the_expected_type(source: str, expected: Type, fits: bool) -> None:
    if fits:
        assert compile_formula(source, SCOPE, expected=expected).type.kind == expected.kind
        return
    with pytest.raises(FormulaError) as caught:
        compile_formula(source, SCOPE, expected=expected)
    assert [f.code for f in caught.value.faults] == ["E406"]


@pytest.mark.parametrize(
    "source",
    [
        "1 + " * limits.MAX_LENGTH + "1",
        "(" * 2_000 + "1" + ")" * 1_999,
        "not " * 500 + "open",
        "-" * 900 + "quantity",
        "if(open, " * 60 + "1" + ")" * 60,
        " + ".join(["amount"] * 39),
        "(" + ", ".join(["1"] * 900) + ")",
        "round(" * 30 + "amount" + ")" * 30,
    ],
    ids=["length", "parentheses", "not", "sign", "if", "money", "list", "round"],
)
def test_a_formula_beyond_the_limits_is_refused(source: str) -> None:
    with pytest.raises(FormulaError) as caught:
        compile_formula(source, SCOPE)
    assert {f.code for f in caught.value.faults} <= {"E401", "E407"}
