"""Cells: every value escaped, numbers as Babel writes them, dates in words."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from babel.numbers import format_currency, format_decimal
from flask import Flask
from flask_babel import Babel

from trellis.formula.reader import Reader
from trellis.formula.types import Money, Ref
from trellis.model.choice import Choice
from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.model.fields.registry import FIELD_TYPES
from trellis.model.model import Model
from trellis.model.text import Text
from trellis.web.cells import CellContext, columns_for, renderer
from trellis.web.cells.markup import color_of, initials
from trellis.web.cells.numbers import locale_of, money_text, number_text

NOW = datetime(2026, 11, 17, 9, 0, tzinfo=UTC)
ID = UUID("01930000-0000-7000-8000-000000000001")
EVIL = '<img src=x onerror="alert(1)">'


@pytest.fixture(autouse=True)
def _language() -> object:
    app = Flask("cells")
    Babel(app)
    with app.test_request_context():
        yield


def context(**fields: Field) -> CellContext:
    entity = Entity("deal", Text("Deal"), Text("Deals"), fields)
    reader = Reader(now=NOW, currency="EUR")
    return CellContext(reader, Model("x", {"deal": entity}), entity, lambda entity, id: f"/e/{entity}/{id}")


def field(key: str, kind: str = "text", **options: object) -> Field:
    return Field(key, FIELD_TYPES[kind](**options), Text(key.title()))


def html(kind: str, value: object, **options: object) -> str:
    made = field("f", kind, **options)
    return renderer(made, context(f=made))(value)


@pytest.mark.parametrize("language", ["en", "de", "fr", "zh-Hans", "sv", "ja", "en-IN", "de-CH", "ar"])
@pytest.mark.parametrize("amount", ["0", "-0.75", "12.34", "1234.5", "-9876543.21", "1234567890.1"])
def test_fast_numbers_are_written_as_babel_writes_them(language: str, amount: str) -> None:
    value, locale = Decimal(amount), locale_of(language)
    for currency in ("EUR", "CNY", "JPY", "SEK"):
        digits = 0 if currency == "JPY" else 2
        exact = value.quantize(Decimal(1).scaleb(-digits))
        shown, expected = money_text(Money(exact, currency), language), format_currency(exact, currency, locale=locale)
        assert shown.replace("\xa0", "") == expected.replace("\xa0", "")
    assert number_text(value, language, 2) == format_decimal(value, format="#,##0.00", locale=locale)


@pytest.mark.parametrize("kind", ["text", "long_text", "email", "url", "color", "name", "phone"])
def test_no_value_becomes_markup(kind: str) -> None:
    value = {"first": EVIL, "last": EVIL} if kind == "name" else EVIL
    made = html(kind, value)
    assert "<img" not in made
    assert 'onerror="' not in made


def test_a_day_in_words_stands_with_its_date_on_paper() -> None:
    assert 'data-on="Nov 17, 2026">Today<' in html("date", NOW.date())
    assert 'data-on="Nov 16, 2026"' in html("datetime", NOW - timedelta(days=1))
    assert "data-on" not in html("date", date(2025, 3, 1))


def test_a_choice_is_a_badge_and_an_unknown_one_keeps_its_key() -> None:
    choices = (Choice("won", Text("Won <b>", {"de": "Gewonnen"}), "green"),)
    assert html("choice", "won", choices=choices) == (
        '<span class="t-badge c-green"><bdi class="t-cut">Won &lt;b&gt;</bdi></span>'
    )
    assert "gone" in html("choice", "gone", choices=choices)


def test_a_link_is_a_chip_and_a_person_has_a_round_face() -> None:
    account = html("link", Ref("account", ID, EVIL), to="account")
    assert f'href="/e/account/{ID}"' in account
    assert "&lt;img" in account
    assert "t-av-sq" in account
    person = html("link", Ref("user", ID, "Amelie Roth"), to="user")
    assert "t-av-sq" not in person
    assert ">AR<" in person


@pytest.mark.parametrize(
    ("days", "shown"),
    [
        (-11, "Nov 6"),
        (-6, "6 days ago"),
        (-1, "Yesterday"),
        (0, "Today"),
        (1, "Tomorrow"),
        (9, "In 9 days"),
        (400, "2027"),
    ],
)
def test_near_dates_are_said_in_words(days: int, shown: str) -> None:
    made = html("date", date(2026, 11, 17) + timedelta(days=days))
    assert shown in made
    assert 'title="' in made


def test_a_row_on_a_phone_shows_the_first_of_every_kind() -> None:
    fields = {
        "name": field("name"),
        "account": field("account", "link", to="account"),
        "amount": field("amount", "money"),
        "net": field("net", "money"),
        "due": field("due", "date"),
        "owner": field("owner", "link", to="user"),
        "stage": field("stage", "choice", choices=()),
    }
    columns = columns_for(context(**fields), [k for k in fields if k != "name"])
    assert [c.slot for c in columns] == ["a", "n", "x", "d", "w", "s"]


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Amelie Roth", "AR"),
        ("王丽娜", "王"),
        ("عمر الحداد", "ع"),
        ("Kestrel", "KE"),
        ("C & A", "CA"),
        ("", "?"),
        ("7 Seas", "7"),
    ],
)
def test_initials_of_any_script(name: str, letters: str) -> None:
    assert initials(name) == letters


def test_colours_stay() -> None:
    assert color_of("acme") == color_of("acme")
