"""Every type takes back what it writes: JSON, CSV and columns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from cryptography.fernet import Fernet
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from trellis.formula.reader import Reader
from trellis.formula.types import Location, Money, Ref
from trellis.model import sealing
from trellis.model.choice import Choice
from trellis.model.fields import FIELD_TYPES, make_type
from trellis.model.fields.base import FieldType
from trellis.model.text import Text

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
READERS = (
    Reader(now=NOW),
    Reader(now=NOW, language="de", time_zone=ZoneInfo("Europe/Berlin")),
    Reader(now=NOW, language="zh-Hans", time_zone=ZoneInfo("Asia/Shanghai"), currency="CNY", region="CN"),
    Reader(now=NOW, language="fr", currency="JPY", region="FR"),
)
LEVELS = tuple(Choice(key, Text(label, {"de": german})) for key, label, german in (
    ("low", "Low", "Niedrig"), ("very-high", "Very high; really", "Sehr hoch"), ("a,b", "A, b", "A oder B"),
))  # fmt: skip

chars = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\u2028\u2029\x85")
texts = st.text(chars, min_size=1, max_size=30)
numbers = st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**15), max_value=10**15)
days = st.dates(date(1900, 1, 1), date(2100, 1, 1))
durations = st.timedeltas(timedelta(days=-1000), timedelta(days=1000))
ids = st.uuids(version=4)
json_values = st.recursive(
    st.booleans() | st.integers(-(2**40), 2**40) | st.floats(-1e6, 1e6) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
).filter(lambda value: value is not None and not isinstance(value, str))
files = st.lists(
    st.fixed_dictionaries(
        {"id": st.uuids().map(str), "name": texts, "size": st.integers(0, 10**9), "type": st.just("image/png")}
    ),
    min_size=1,
    max_size=3,
)
lists = st.lists(texts, min_size=1, max_size=4)


def money(currency: str, amount: Decimal, base: Decimal | None) -> Money:
    return Money(amount, currency, base)


def parts(*names: str) -> st.SearchStrategy[Any]:
    return st.dictionaries(st.sampled_from(names), texts, min_size=1)


@dataclass(frozen=True)
class Case:
    """How to make values of a type: raw input, which `parse` turns into a value."""

    raw: st.SearchStrategy[Any]
    options: dict[str, Any]


CASES: dict[str, Case] = {
    **{name: Case(texts, {}) for name in ("text", "sequence", "barcode", "secret")},
    **{name: Case(st.text(chars | st.just("\n"), max_size=60), {}) for name in ("long_text", "rich_text", "code")},
    "email": Case(st.emails().filter(str.isascii), {}),
    "phone": Case(st.sampled_from(["+49 30 901820", "+86 138 0013 8000", "+1 (650) 253-0000 ext. 12"]), {}),
    "url": Case(st.sampled_from(["example.com", "HTTP://Example.com/a?b=c", "mailto:a@b.cd", "例え.jp/"]), {}),
    "json": Case(json_values, {}),
    "list": Case(lists, {}),
    "tags": Case(lists, {}),
    "color": Case(st.sampled_from(["red", "#abc", "0F766E"]), {}),
    "integer": Case(st.integers(-(2**63) + 1, 2**63 - 1), {}),
    "decimal": Case(numbers, {}),
    "percent": Case(numbers, {"scale": 3}),
    "rating": Case(st.integers(0, 5), {}),
    "money": Case(st.builds(money, st.sampled_from(["EUR", "JPY", "KWD"]), numbers, st.none() | numbers), {}),
    "duration": Case(durations, {}),
    "reminders": Case(st.lists(durations.map(abs), min_size=1, max_size=3), {}),
    "date": Case(days, {}),
    "datetime": Case(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)), {}),
    "time": Case(st.times(), {}),
    "choice": Case(st.sampled_from([level.key for level in LEVELS]), {"choices": LEVELS}),
    "choices": Case(st.lists(st.sampled_from([level.key for level in LEVELS]), min_size=1), {"choices": LEVELS}),
    "boolean": Case(st.booleans(), {}),
    **{name: Case(ids.map(lambda id, name=name: Ref(name, id)), {}) for name in ("user", "team")},
    "link": Case(ids.map(lambda id: Ref("account", id, "Acme")), {"to": "account"}),
    "links": Case(st.lists(ids.map(lambda id: Ref("account", id)), min_size=1), {"to": "account"}),
    "any_link": Case(ids.map(lambda id: Ref("contact", id)), {"to": ("account", "contact")}),
    "name": Case(parts("title", "first", "middle", "last", "suffix"), {}),
    "address": Case(parts("street", "street2", "city", "postcode", "region", "country"), {}),
    "location": Case(st.builds(Location, st.floats(-90, 90), st.floats(-180, 180)), {}),
    **{name: Case(files, {"multiple": True}) for name in ("file", "image", "signature")},
}
SEVERAL = {
    "email": ["a@b.cd", {"value": "C@D.EF", "kind": "work", "opted_out": True}],
    "phone": ["030 901820", {"value": "+86 138 0013 8000", "invalid": True}],
}


@pytest.fixture(autouse=True, scope="module")
def key() -> None:
    sealing.use_keys(Fernet.generate_key())


def test_every_type_has_a_case() -> None:
    assert set(CASES) == set(FIELD_TYPES)


def holds(type: FieldType, value: Any, reader: Reader) -> None:
    """What must be true of every type and value."""
    assert type.parse(value, reader) == value
    assert type.parse(type.to_json(value), reader) == value
    for schema in (type.json_schema(), type.json_input()):
        Draft202012Validator(schema).validate(type.to_json(value))
    stored = type.to_columns(value)
    assert set(stored) == set(type.columns())
    if stored:
        assert type.from_columns(stored) == value
    text = type.write_text(value, reader)
    read = type.read_text(text, reader)
    if isinstance(value, Money):  # the base amount is computed, not imported
        value = Money(value.amount, value.currency)
    assert read == value
    assert isinstance(type.display(value, reader), str)
    assert isinstance(type.search_text(value), str)
    hash(type)


@pytest.mark.parametrize("name", sorted(FIELD_TYPES))
def test_what_is_written_is_read_again(name: str) -> None:
    case = CASES[name]
    type = make_type(name, case.options)

    @settings(max_examples=30, deadline=None)
    @given(case.raw, st.sampled_from(READERS))
    def check(raw: Any, reader: Reader) -> None:
        value = type.parse(raw, reader)
        if value is not None:
            holds(type, value, reader)

    check()


@pytest.mark.parametrize("name", sorted(SEVERAL))
def test_several_addresses_are_written_and_read(name: str) -> None:
    type = make_type(name, {"multiple": True, "kinds": ["work", "home"]})
    value = type.parse(SEVERAL[name], READERS[0])
    holds(type, value, READERS[0])
    assert type.formula_value(value) == value[0]["value"]
    plain = type.parse([entry["value"] for entry in value], READERS[0])
    holds(type, plain, READERS[0])


@pytest.mark.parametrize("name", sorted(FIELD_TYPES))
def test_blank_is_none_everywhere(name: str) -> None:
    type = make_type(name, CASES[name].options)
    reader = READERS[0]
    for raw in (None, "", "   "):
        assert type.parse(raw, reader) is None
    assert type.read_text("", reader) is None
    assert type.write_text(None, reader) == ""
    assert type.display(None, reader) == ""
    assert type.search_text(None) == ""
    assert set(type.to_columns(None)) == set(type.columns())
    assert type.from_columns(type.to_columns(None)) is None if type.columns() else True
    assert type.parse(type.to_json(None), reader) is None


JUNK: list[Any] = [
    object(),
    {"no": "part"},
    [{"x": 1}],
    float("nan"),
    float("inf"),
    True,
    10**30,
    "\x00",
    b"bytes",
    [None],
]


@pytest.mark.parametrize("name", sorted(FIELD_TYPES))
def test_junk_is_taken_or_refused_but_nothing_breaks(name: str) -> None:
    from trellis.model.fields.base import Invalid

    type = make_type(name, CASES[name].options)
    for raw in [*JUNK, *map(str, JUNK)]:
        try:
            value = type.parse(raw, READERS[1])
        except Invalid:
            continue
        if value is not None:
            list(type.check(value))
            type.display(value, READERS[1])
