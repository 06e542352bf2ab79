"""A report as a file: CSV for programs, a workbook with typed cells for people."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from babel.numbers import get_currency_precision, get_currency_symbol

from trellis.formula.types import Money, Value
from trellis.records.transfer.neutral import guard
from trellis.reports.result import Answer, Heading, Line
from trellis.web.cells.numbers import locale_of
from trellis.web.reports.words import Words

LONGEST_TITLE = 31  # of a sheet: a limit of the format


def file_name(answer: Answer, words: Words, ending: str) -> str:
    """What the file is called: the report's label."""
    label = words.text(answer.report.label)
    safe = "".join(c if c.isalnum() or c in " -_" else "-" for c in label).strip() or answer.report.key
    return f"{safe}.{ending}"


def csv_of(answer: Answer, words: Words) -> bytes:
    """The table as CSV, with a mark that makes spreadsheets read UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([guard(title) for title in _titles(answer, words)])
    for line in answer.lines:
        writer.writerow([_csv_cell(v) for v in _cells(answer, line, words)])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def xlsx_of(answer: Answer, words: Words) -> bytes:
    """The table as a workbook."""
    from openpyxl import Workbook  # 180 modules, which a start need not wait for
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    sheet: Any = book.active
    sheet.title = "".join(c for c in words.text(answer.report.label) if c not in "[]:*?/\\")[:LONGEST_TITLE] or "Report"
    sheet.append(_titles(answer, words))
    for cell in sheet[1]:
        cell.font = Font(bold=True)
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    for line in answer.lines:
        sheet.append([_typed(v) for v in _cells(answer, line, words)])
        for at, (cell, heading) in enumerate(zip(sheet[sheet.max_row], answer.headings, strict=True)):
            cell.number_format = _format(cell.value, heading, words, _currency(heading, line.values[at], words))
            if line.kind in ("total", "subtotal"):
                cell.font = Font(bold=True)
        if line.depth:
            sheet.row_dimensions[sheet.max_row].outlineLevel = min(line.depth, 7)
    sheet.sheet_properties.outlinePr.summaryBelow = False
    sheet.freeze_panes = "A2"
    for at, heading in enumerate(answer.headings, 1):
        sheet.column_dimensions[get_column_letter(at)].width = 28 if heading.role == "group" else 18
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _titles(answer: Answer, words: Words) -> list[str]:
    return [" · ".join([*(words.text(o) for o in h.over), words.text(h.label)]) for h in answer.headings]


def _cells(answer: Answer, line: Line, words: Words) -> list[Value]:
    """The values of a line: groups by their names, in every column that they belong to."""
    from flask_babel import gettext as _

    found: list[Value] = []
    for at, (heading, value) in enumerate(zip(answer.headings, line.values, strict=True)):
        if heading.role != "group":
            found.append(_settled(heading, value, words))
        elif line.kind == "total":
            found.append(str(_("Total")) if at == 0 else "")
        elif line.kind == "rest" and at == 0:
            found.append(str(_("Other")))
        elif at > line.column:
            found.append("")
        elif heading.type.kind == "date" and heading.group is not None and heading.group.period is not None:
            found.append(value if heading.group.period.name == "day" else words.cell(heading, value))
        else:
            found.append(words.cell(heading, value))
    return found


def _settled(heading: Heading, value: Value, words: Words) -> Value:
    if isinstance(value, Money):
        return value.base if heading.role == "measure" and value.base is not None else value.amount
    if isinstance(value, timedelta):
        return Decimal(str(round(value.total_seconds() / 86400, 6)))
    if isinstance(value, datetime):
        return value.astimezone(words.reader.time_zone)  # a file says the same hour as the page
    if isinstance(value, Decimal | int | float | date) and not isinstance(value, bool):
        return value
    return words.cell(heading, value)


def _csv_cell(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{_rounded(value):f}"
    if isinstance(value, datetime):
        return value.isoformat()
    return guard(str(value)) if isinstance(value, str) else str(value)


def _typed(value: Value) -> Any:
    if isinstance(value, Decimal):
        return _rounded(value)
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, str):
        return guard(value)
    return value


def _rounded(value: Decimal) -> Decimal:
    """A quotient has no end: six decimals say enough."""
    exponent = value.as_tuple().exponent
    return round(value, 6) if isinstance(exponent, int) and exponent < -6 else value


def _currency(heading: Heading, value: Value, words: Words) -> str:
    """What an amount is in: a record's own is in its own; empty for what is no amount."""
    if isinstance(value, Money) and (heading.role != "measure" or value.base is None):
        return value.currency
    return words.reader.currency if isinstance(value, Money) or heading.type.kind == "money" else ""


def _format(value: Any, heading: Heading, words: Words, currency: str) -> str:
    """How a spreadsheet shows a typed cell: what the page shows, as far as a pattern says it."""
    if isinstance(value, datetime):
        return "yyyy-mm-dd hh:mm"
    if isinstance(value, date):
        return "yyyy-mm-dd"
    if not isinstance(value, Decimal | int | float) or isinstance(value, bool):
        return "General"
    if currency:
        return _money_format(currency, words.language)
    is_whole = value == int(value)
    if heading.as_percent or (heading.unit and words.text(heading.unit) == "%"):
        return '0"%"' if is_whole else '0.0"%"'
    return "#,##0" if is_whole else "#,##0.00"


@cache
def _money_format(currency: str, language: str) -> str:
    """An amount with the sign of its currency, where the reader's language puts it."""
    locale, digits = locale_of(language), get_currency_precision(currency)
    before, after = re.split(r"[#,0.]+", locale.currency_formats["standard"].pattern.split(";")[0], maxsplit=1)
    around = [text.replace("¤", get_currency_symbol(currency, locale)) for text in (before, after)]
    first, last = [f'"{text}"' if text else "" for text in around]
    return f"{first}#,##0{'.' + '0' * digits if digits else ''}{last}"
