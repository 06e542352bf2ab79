"""What people of three languages type, and what becomes of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from trellis.formula.reader import Reader
from trellis.formula.types import Location, Money
from trellis.model.fields import make_type
from trellis.model.fields.base import Invalid

NOW = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
EN = Reader(now=NOW, currency="USD", region="US", time_zone=ZoneInfo("America/New_York"))
DE = Reader(now=NOW, language="de", time_zone=ZoneInfo("Europe/Berlin"))
ZH = Reader(now=NOW, language="zh-Hans-CN", currency="CNY", region="CN", time_zone=ZoneInfo("Asia/Shanghai"))


def eur(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")


@pytest.mark.parametrize(
    ("name", "options", "raw", "reader", "value"),
    [
        ("text", {}, "  two\n lines ", EN, "two lines"),
        ("text", {}, "Cafe\u0301", EN, "Café"),
        ("text", {}, 42, EN, "42"),
        ("long_text", {}, "a\r\nb\n\n", EN, "a\nb"),
        ("rich_text", {}, '<p onclick="x()">Hi<script>1</script></p>', EN, "<p>Hi</p>"),
        ("rich_text", {}, '<a href="javascript:x">a</a>', EN, '<a rel="noopener nofollow">a</a>'),
        ("email", {}, " Ann Lee <Ann@Example.COM> ", EN, "Ann@example.com"),
        ("email", {}, "mailto:a@b.co", EN, "a@b.co"),
        ("phone", {}, "030/90 18 20", DE, "+4930901820"),
        ("phone", {}, "0049 30 901820", DE, "+4930901820"),
        ("phone", {}, "13800138000", ZH, "+8613800138000"),
        ("phone", {}, "010-62552255", ZH, "+861062552255"),
        ("phone", {}, "400-810-8888", ZH, "+864008108888"),
        ("phone", {}, "(650) 253-0000", EN, "+16502530000"),
        ("url", {}, "example.com/a", EN, "https://example.com/a"),
        ("url", {}, "HTTP://example.com", EN, "http://example.com"),
        ("integer", {}, "1,200", EN, 1200),
        ("integer", {}, "1.200", DE, 1200),
        ("integer", {}, "１２００", ZH, 1200),
        ("integer", {}, 3.0, EN, 3),
        ("decimal", {}, "1.234,56", DE, Decimal("1234.56")),
        ("decimal", {}, "1234.5", DE, Decimal("1234.5")),
        ("decimal", {}, "1 234,5", Reader(language="fr"), Decimal("1234.5")),
        ("decimal", {"scale": 2}, "2.345", EN, Decimal("2.35")),
        ("decimal", {"scale": 2}, "-2.345", EN, Decimal("-2.35")),
        ("percent", {}, "12,5 %", DE, Decimal("12.5")),
        ("percent", {}, "20％", ZH, Decimal(20)),
        ("money", {}, "1.234,56", DE, eur("1234.56")),
        ("money", {}, "€ 1.200,505", DE, eur("1200.51")),
        ("money", {}, "-3,005 €", DE, eur("-3.01")),
        ("money", {}, "(12.50) EUR", EN, eur("-12.50")),
        ("money", {}, "¥1,200", ZH, Money(Decimal("1200.00"), "CNY")),
        ("money", {}, "1200元", ZH, Money(Decimal("1200.00"), "CNY")),
        ("money", {}, "¥1,200.5", Reader(currency="JPY"), Money(Decimal(1201), "JPY")),
        ("money", {}, "$5", EN, Money(Decimal("5.00"), "USD")),
        ("money", {}, "CA$5", EN, Money(Decimal("5.00"), "CAD")),
        ("money", {}, "1.2345 KWD", EN, Money(Decimal("1.235"), "KWD")),
        ("money", {"scale": 4}, "1.23456", EN, Money(Decimal("1.2346"), "USD")),
        ("money", {"currency": "EUR"}, 5, EN, eur("5.00")),
        ("money", {}, {"amount": "7,5", "currency": "eur"}, DE, eur("7.50")),
        ("duration", {}, "2h 30m", EN, timedelta(hours=2, minutes=30)),
        ("duration", {}, "1:30", EN, timedelta(minutes=90)),
        ("duration", {}, "90", EN, timedelta(minutes=90)),
        ("duration", {"unit": "hours"}, "1,5", DE, timedelta(minutes=90)),
        ("duration", {}, "2 Std. 15 Min.", DE, timedelta(minutes=135)),
        ("duration", {}, "2小时30分", ZH, timedelta(minutes=150)),
        ("duration", {}, "P1DT2H", EN, timedelta(hours=26)),
        ("date", {}, "2026-02-03", EN, date(2026, 2, 3)),
        ("date", {}, "3.2.26", DE, date(2026, 2, 3)),
        ("date", {}, "3. Februar 2026", DE, date(2026, 2, 3)),
        ("date", {}, "2/3/2026", EN, date(2026, 2, 3)),
        ("date", {}, "Feb 3, 2026", EN, date(2026, 2, 3)),
        ("date", {}, "2026年2月3日", ZH, date(2026, 2, 3)),
        ("date", {}, "20260203", EN, date(2026, 2, 3)),
        ("date", {}, "2026-02-03T10:00:00", EN, date(2026, 2, 3)),
        ("date", {}, "tomorrow", EN, date(2026, 3, 3)),
        ("date", {}, "morgen", DE, date(2026, 3, 4)),  # it is after midnight in Berlin
        ("date", {}, "明天", ZH, date(2026, 3, 4)),
        ("date", {}, "+3d", EN, date(2026, 3, 5)),
        ("date", {}, "-2w", EN, date(2026, 2, 16)),
        ("date", {}, "+1m", EN, date(2026, 4, 2)),
        ("datetime", {}, "2026-03-02T09:00:00Z", DE, datetime(2026, 3, 2, 9, tzinfo=UTC)),
        ("datetime", {}, "2026-03-02T09:00", DE, datetime(2026, 3, 2, 8, tzinfo=UTC)),
        ("datetime", {}, "2.3.2026 9:00", DE, datetime(2026, 3, 2, 8, tzinfo=UTC)),
        ("datetime", {}, "3/2/2026, 2:30 PM", EN, datetime(2026, 3, 2, 19, 30, tzinfo=UTC)),
        ("datetime", {}, "2026年3月2日 下午2:30", ZH, datetime(2026, 3, 2, 6, 30, tzinfo=UTC)),
        ("datetime", {}, "tomorrow 9:00", EN, datetime(2026, 3, 3, 14, tzinfo=UTC)),
        ("datetime", {}, "9:30", EN, datetime(2026, 3, 2, 14, 30, tzinfo=UTC)),
        ("time", {}, "14:30", EN, time(14, 30)),
        ("time", {}, "2:30 pm", EN, time(14, 30)),
        ("time", {}, "12 am", EN, time(0)),
        ("time", {}, "14.30 Uhr", DE, time(14, 30)),
        ("boolean", {}, "ja", DE, True),
        ("boolean", {}, "否", ZH, False),
        ("boolean", {}, "on", EN, True),
        ("choice", {"choices": "countries"}, "Deutschland", EN, "DE"),
        ("choice", {"choices": "countries"}, "德国", EN, "DE"),
        ("choice", {"choices": "currencies"}, "euro", EN, "EUR"),
        ("choices", {"choices": "languages"}, "de; English", EN, ("de", "en")),
        ("tags", {}, "#vip, new", EN, ("vip", "new")),
        ("tags", {}, ["a", "a", "b"], EN, ("a", "b")),
        ("list", {}, "one, two\nthree", EN, ("one, two", "three")),
        ("color", {}, "#ABC", EN, "#aabbcc"),
        ("barcode", {"kind": "ean"}, "4 006381 333931", EN, "4006381333931"),
        ("json", {}, '{"a": [1, null]}', EN, {"a": [1, None]}),
        ("name", {}, "Dr. Anna Maria van der Berg", EN,
         {"title": "Dr.", "first": "Anna", "middle": "Maria", "last": "van der Berg"}),
        ("name", {}, "Müller, Jörg", DE, {"first": "Jörg", "last": "Müller"}),
        ("name", {}, "王小明", ZH, {"first": "小明", "last": "王"}),
        ("name", {}, "欧阳娜娜", ZH, {"first": "娜娜", "last": "欧阳"}),
        ("name", {}, {"first": " Ann ", "last": ""}, EN, {"first": "Ann"}),
        ("address", {}, {"city": "Köln", "country": "Germany"}, EN, {"city": "Köln", "country": "DE"}),
        (
            "address",
            {},
            "Domplatz 1\n50667 Köln\nDeutschland",
            DE,
            {"street": "Domplatz 1", "city": "Köln", "postcode": "50667", "country": "DE"},
        ),
        ("location", {}, "50.94, 6.96", EN, Location(50.94, 6.96)),
        ("location", {}, {"latitude": 1, "longitude": "2"}, EN, Location(1, 2)),
        ("reminders", {}, "1 h; 15 min", EN, (timedelta(minutes=15), timedelta(hours=1))),
    ],
)  # fmt: skip
def test_what_is_typed_is_understood(name: str, options: dict[str, Any], raw: Any, reader: Reader, value: Any) -> None:
    type = make_type(name, options)
    parsed = type.parse(raw, reader)
    assert parsed == value
    assert list(type.check(parsed)) == []


@pytest.mark.parametrize(
    ("name", "options", "raw"),
    [
        ("email", {}, "ann"),
        ("email", {}, "ann@localhost"),
        ("email", {}, "a..b@example.com"),
        ("email", {}, "a@-b.com"),
        ("email", {"multiple": True, "kinds": ["work"]}, [{"value": "a@b.cd", "kind": "play"}]),
        ("phone", {}, "12"),
        ("phone", {}, "call me"),
        ("url", {}, "javascript:alert(1)"),
        ("url", {}, "no host"),
        ("url", {}, "https://"),
        ("integer", {}, "1.5"),
        ("integer", {}, "abc"),
        ("integer", {}, 10**19),
        ("integer", {}, True),
        ("decimal", {}, "1e999999"),
        ("decimal", {}, "9" * 200),
        ("decimal", {}, "1,2,3"),
        ("decimal", {"min": 1, "max": 5}, "6"),
        ("decimal", {"step": "0.25"}, "0.3"),
        ("rating", {"max": 3}, 4),
        ("money", {}, "5 XYZ"),
        ("money", {"currency": "EUR"}, "5 USD"),
        ("money", {"min": 0}, "-1"),
        ("date", {}, "2026-02-30"),
        ("date", {}, "soon"),
        ("date", {"min": "2026-01-01"}, "2025-12-31"),
        ("datetime", {}, "25:00"),
        ("time", {}, "24:30"),
        ("duration", {}, "long"),
        ("duration", {"max": "8 h"}, "9h"),
        ("choice", {"choices": "countries"}, "Atlantis"),
        ("choices", {"choices": "countries", "max_items": 1}, "DE, FR"),
        ("tags", {}, [f"tag {n}" for n in range(1001)]),
        ("boolean", {}, "maybe"),
        ("text", {"max_length": 3}, "four"),
        ("text", {"min_length": 3}, "ab"),
        ("text", {}, ["a"]),
        ("json", {}, "{"),
        ("color", {}, "#12"),
        ("barcode", {"kind": "ean"}, "4006381333932"),
        ("link", {"to": "account"}, "Acme"),
        ("link", {"to": "account"}, "contact:0190a6b4-0000-7000-8000-000000000000"),
        ("any_link", {}, "0190a6b4-0000-7000-8000-000000000000"),
        ("address", {}, {"country": "Atlantis"}),
        ("address", {}, {"planet": "Mars"}),
        ("location", {}, "91, 0"),
        ("location", {}, "north"),
        ("file", {}, [{"id": "a", "size": 1}, {"id": "b", "size": 1}]),
        ("file", {"max_size": "1 KB"}, {"id": "a", "name": "a.pdf", "size": 2000}),
        ("file", {"accept": [".pdf"]}, {"id": "a", "name": "a.exe", "size": 1}),
        ("image", {}, {"id": "a", "name": "a.svg", "size": 1, "type": "image/svg+xml"}),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_with_a_reason(name: str, options: dict[str, Any], raw: Any) -> None:
    type = make_type(name, options)
    try:
        fault = next(iter(type.check(type.parse(raw, EN))))
    except Invalid as refusal:
        fault = refusal
    assert fault.code
    assert str(fault) == fault.message.format(**fault.params)


@pytest.mark.parametrize(
    ("name", "options", "raw", "reader", "shown"),
    [
        ("decimal", {}, "1234.5", DE, "1.234,5"),
        ("decimal", {"scale": 2, "unit": "kg"}, "1234.5", EN, "1,234.50 kg"),
        ("integer", {}, 1234567, ZH, "1,234,567"),
        ("percent", {}, "12.5", EN, "12.5%"),
        ("money", {}, "1234.5 EUR", DE, "1.234,50\xa0€"),
        ("money", {}, "1234 JPY", EN, "¥1,234"),
        ("money", {}, "1.5 KWD", EN, "KWD\xa01.500"),
        ("money", {}, "12 CNY", ZH, "¥12.00"),
        ("date", {}, "2026-02-03", DE, "03.02.2026"),
        ("date", {}, "2026-02-03", ZH, "2026年2月3日"),
        ("datetime", {}, "2026-03-02T09:00:00Z", DE, "02.03.2026, 10:00"),
        ("time", {}, "14:30", EN, "2:30\u202fPM"),
        ("duration", {}, "90", EN, "1 hr 30 min"),
        ("duration", {}, "90", ZH, "1小时 30分钟"),
        ("choice", {"choices": "countries"}, "DE", ZH, "德国"),
        ("choice", {"choices": "countries"}, "gone", ZH, "gone"),
        ("choices", {"choices": "currencies"}, "EUR; USD", DE, "Euro, US-Dollar"),
        ("phone", {}, "+4930901820", DE, "030 901820"),
        ("phone", {}, "+4930901820", ZH, "+49 30 901820"),
        ("url", {}, "https://www.example.com/", EN, "example.com"),
        ("name", {}, {"first": "小明", "last": "王"}, EN, "王小明"),
        ("name", {}, {"first": "Ann", "last": "Lee"}, ZH, "Ann Lee"),
        ("name", {}, {"first": "Anna", "last": "Nagy"}, Reader(language="hu"), "Nagy Anna"),
        ("address", {}, {"street": "Domplatz 1", "city": "Köln", "postcode": "50667", "country": "DE"}, DE,
         "Domplatz 1\n50667 Köln"),
        ("address", {},
         {"street": "1 Main St", "city": "Austin", "region": "TX", "postcode": "78701", "country": "US"}, DE,
         "1 Main St\nAustin, TX 78701\nVereinigte Staaten"),
        ("address", {}, {"street": "长安街1号", "city": "北京市", "country": "CN"}, ZH, "北京市长安街1号"),
        ("boolean", {}, True, EN, "✓"),
        ("file", {}, {"id": "1", "name": "a.pdf", "size": 1}, EN, "a.pdf"),
    ],
)  # fmt: skip
def test_a_value_is_shown_as_the_reader_writes(
    name: str, options: dict[str, Any], raw: Any, reader: Reader, shown: str
) -> None:
    type = make_type(name, options)
    assert type.display(type.parse(raw, Reader(currency="EUR")), reader) == shown


def test_a_phone_number_remembers_how_it_was_typed() -> None:
    type = make_type("phone")
    stored = type.to_columns(type.parse("030/90 18 20", DE))
    assert stored == {"": "+4930901820", "_raw": "030/90 18 20"}
    assert type.to_columns(type.from_columns(stored)) == stored


def test_files_are_neutral_and_people_are_not() -> None:
    number = make_type("decimal")
    assert number.read_text("1.234", DE) == Decimal("1.234")
    assert number.parse("1.234", DE) == Decimal("1234")
    assert number.read_text("1.234,5", DE) == Decimal("1234.5")


def test_a_sequence_writes_and_reads_its_mask() -> None:
    type = make_type("sequence", {"mask": "D-{yyyy}-{region}-{00000}", "reset": "year", "per": "region"})
    text = type.render(42, date(2026, 3, 2), {"region": "north"})  # type: ignore[attr-defined]
    assert text == "D-2026-north-00042"
    assert type.read_number(text) == 42  # type: ignore[attr-defined]
    assert type.read_number("D-2026-north-123456") == 123456  # type: ignore[attr-defined]
    assert type.read_number("mine") is None  # type: ignore[attr-defined]
    assert type.period(date(2026, 3, 2)) == "2026"  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="mask"):
        make_type("sequence", {"mask": "D-{yyyy}"})


def test_a_number_that_nobody_abroad_could_dial_lacks_its_area_code() -> None:
    type = make_type("phone")
    for raw, reader in (("12", DE), ("253-0000", EN), ("+49 12", EN)):
        with pytest.raises(Invalid, match="area code"):
            type.parse(raw, reader)
    assert str(type.parse("+1 555 123 4567", DE)) == "+15551234567"  # in no plan, but it could be


def test_what_is_wrong_in_json_is_told_by_its_place() -> None:
    with pytest.raises(Invalid) as refusal:
        make_type("json").parse('{"a": 1,\n "b" 2}', EN)
    assert refusal.value.params == {"line": 2, "column": 6}
    with pytest.raises(Invalid, match="too deep"):
        make_type("json").parse("[" * 100_000, EN)


@pytest.mark.parametrize("name", ["date", "datetime"])
@pytest.mark.parametrize(
    ("text", "reader", "neutral", "day"),
    [
        ("2026-04-03", EN, True, date(2026, 4, 3)),
        ("20260403", EN, True, date(2026, 4, 3)),
        ("3.4.2026", EN, True, date(2026, 4, 3)),
        ("3 April 2026", EN, True, date(2026, 4, 3)),
        ("2026年4月3日", EN, True, date(2026, 4, 3)),
        ("2026/4/3", EN, True, date(2026, 4, 3)),
        ("25/04/2026", EN, True, date(2026, 4, 25)),
        ("04/25/2026", DE, True, date(2026, 4, 25)),
        ("04/04/2026", EN, True, date(2026, 4, 4)),
        ("03/04/2026", EN, False, date(2026, 3, 4)),
        ("03/04/2026", DE, False, date(2026, 4, 3)),
    ],
)
def test_a_file_says_which_day_it_means(name: str, text: str, reader: Reader, neutral: bool, day: date) -> None:
    found: Any = make_type(name, {}).read_cell(text, reader, neutral=neutral)
    assert (found.astimezone(reader.time_zone).date() if name == "datetime" else found) == day


@pytest.mark.parametrize("name", ["date", "datetime"])
@pytest.mark.parametrize(
    ("text", "neutral", "why"),
    [
        ("gestern", True, "another day tomorrow"),
        ("yesterday", False, "another day tomorrow"),
        ("今天", True, "another day tomorrow"),
        ("+3d", False, "another day tomorrow"),
        ("03/04/2026", True, "may be 2026-04-03 or 2026-03-04"),
        ("3-4-2026", True, "may be 2026-04-03 or 2026-03-04"),
        ("3.4.56", False, "lacks a year"),
        ("3.4.", False, "lacks a year"),
        ("3 April", True, "is not a date"),
        ("now", True, "is not a date"),
        ("30/02/2026", True, "is not a date"),
    ],
)
def test_a_file_does_not_say_what_may_mean_several_days(name: str, text: str, neutral: bool, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        make_type(name, {}).read_cell(text, DE, neutral=neutral)


@pytest.mark.parametrize(
    ("text", "hour"), [("3.4.2026 14:30", 14), ("2026-04-03, 2:30 pm", 14), ("2026-04-03T09:00", 9)]
)
def test_a_file_says_a_point_in_time(text: str, hour: int) -> None:
    found: Any = make_type("datetime", {}).read_cell(text, DE, neutral=True)
    assert found.astimezone(DE.time_zone).replace(tzinfo=None, minute=0) == datetime(2026, 4, 3, hour)


@pytest.mark.parametrize("text", ["gestern 14:30", "9:30", "03/04/2026 9:30"])
def test_a_file_does_not_say_a_point_in_time_that_moves(text: str) -> None:
    with pytest.raises(Invalid):
        make_type("datetime", {}).read_cell(text, DE, neutral=True)
