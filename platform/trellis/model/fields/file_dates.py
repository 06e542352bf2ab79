"""Dates in files that are imported: only such as mean one day, whoever reads the file and whenever."""

from __future__ import annotations

import re
from datetime import date

from trellis.formula.reader import Reader
from trellis.model.dates import read_date, step_from
from trellis.model.fields.base import Invalid
from trellis.model.locales import babel_locale

WRITTEN = "2026-11-30"


def read_file_date(text: str, reader: Reader, *, ordered: bool) -> date | None:
    """The date that a cell of a file means; None for what is none. Raises Invalid for one that is unclear.

    A word or a step (`yesterday`, `+3d`) means another day tomorrow, a year of two digits perhaps another century, and
    03/04/2026 two days, unless it is said that the file is in the reader's language (`ordered`).
    """
    text, today = text.strip(), reader.today()
    found = read_date(text, babel_locale(reader.language), today)
    if step_from(today, text) is not None:
        message = "“{value}” is another day tomorrow. Write the date itself, such as {date}."
        raise Invalid("invalid", message, value=text[:40], date=WRITTEN)
    numbers = re.findall(r"\d+", text)
    if found is not None and not any(len(n) in (4, 8) for n in numbers):
        message = "“{value}” lacks a year of four digits. Write it like {date}."
        raise Invalid("invalid", message, value=text[:40], date=WRITTEN)
    if len(numbers) != 3 or len(numbers[2]) != 4 or not re.fullmatch(r"[\d\s./-]+", text):
        return found
    day_first, month_first = _date(*numbers), _date(numbers[1], numbers[0], numbers[2])
    if ordered or "." in text or day_first is None or month_first is None or day_first == month_first:
        return found if ordered else day_first or month_first
    message = "“{value}” may be {one} or {other}. Write it so, or say in which language the file is written."
    raise Invalid("invalid", message, value=text[:40], one=day_first.isoformat(), other=month_first.isoformat())


def _date(day: str, month: str, year: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None
