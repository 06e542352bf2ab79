"""Values in texts for people: as their reader writes them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from tests.formula.world import WorldScope

from trellis.formula.env import Env
from trellis.formula.formula import compile_template
from trellis.formula.reader import Reader
from trellis.formula.types import DATE, DATETIME, MONEY, NUMBER, TEXT, Money, Type, Value
from trellis.model.choice import Choice
from trellis.model.given import Given
from trellis.model.speaking import speak
from trellis.model.text import Text

LATER = datetime(2026, 11, 22, 16, 5, tzinfo=UTC)
WON = Choice("won", Text("Won", {"zh-Hans": "赢单"}))


@pytest.mark.parametrize(
    ("value", "type_", "english", "chinese"),
    [
        (Money(Decimal("60000"), "CNY"), MONEY, "CN¥60,000.00", "¥60,000.00"),
        (date(2026, 11, 22), DATE, "Nov 22, 2026", "2026年11月22日"),
        (LATER, DATETIME, "Nov 23, 2026, 12:05\u202fAM", "2026年11月23日 00:05"),
        ("won", Type("text", choices={"won": WON}), "Won", "赢单"),
        ("gone", Type("text", choices={"won": WON}), "gone", "gone"),
        (2026, NUMBER, None, None),
        ("plain", TEXT, None, None),
    ],
)
def test_a_value_is_written_as_its_reader_does(value: Value, type_: Type, english: str, chinese: str) -> None:
    zone = ZoneInfo("Asia/Shanghai")
    said = [speak(value, type_, Reader(language=language, time_zone=zone)) for language in ("en", "zh-Hans")]
    assert said == [english, chinese]


def test_only_a_text_for_people_is_spoken_and_only_what_stands_by_itself() -> None:
    template = compile_template('{today()}: {if("" & today() = "2026-11-22", "today", "later")}', WorldScope())
    env = Env(None, Reader(now=LATER))
    assert Given(template).evaluate(env) == "2026-11-22: today"
    assert Given(template, is_spoken=True).evaluate(env) == "Nov 22, 2026: today"
