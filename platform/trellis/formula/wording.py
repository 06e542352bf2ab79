"""Values as text, as `&` and templates put them: language-neutral, and the same in SQL (sql/wording.py)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from trellis.formula import exact, money
from trellis.formula.env import Env
from trellis.formula.types import Ref, Value

NAME_PARTS = ("title", "first", "middle", "last", "suffix")
ADDRESS_PARTS = ("street", "street2", "city", "postcode", "region", "country")
CJK = "^[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0002ffff]+$"
"""Names in these characters have the last name first and no spaces."""
_CJK = re.compile(CJK)


def name_text(parts: Mapping[str, Any]) -> str | None:
    """A person's name in one line, in the order of its culture."""
    given = {p: str(parts[p]) for p in NAME_PARTS if parts.get(p)}
    if _CJK.match(given.get("first", "") + given.get("last", "")):
        own = "".join(given.get(p, "") for p in ("last", "middle", "first"))
        return " ".join(t for t in (given.get("title"), own, given.get("suffix")) if t) or None
    return " ".join(given[p] for p in NAME_PARTS if p in given) or None


def address_text(parts: Mapping[str, Any]) -> str | None:
    """An address in one line."""
    town = " ".join(str(parts[p]) for p in ("postcode", "city", "region") if parts.get(p))
    lines = (parts.get("street"), parts.get("street2"), town, parts.get("country"))
    return ", ".join(str(line) for line in lines if line) or None


def hours_and_minutes(value: timedelta) -> str:
    """A duration as hours and minutes: 26:30."""
    minutes = abs(value) // timedelta(minutes=1)
    return f"{'-' if value < timedelta() else ''}{minutes // 60}:{minutes % 60:02d}"


def _money(value: Value, env: Env) -> str:
    rounded = money.rounded_in(value, env.reader)
    return f"{rounded.amount:f} {value.currency}"


def _record(value: Value, env: Env) -> str | None:
    return value.title if isinstance(value, Ref) and value.title is not None else env.graph.title(value)


def plain(value: Value, env: Env) -> str | None:
    """A value whose type is only known when it is there."""
    for python_type, kind in _BY_PYTHON_TYPE:
        if isinstance(value, python_type):
            return WORDING[kind](value, env)
    return str(value)


WORDING: dict[str, Callable[[Value, Env], str | None]] = {
    "text": lambda v, env: v,
    "number": lambda v, env: exact.text_of(v),
    "boolean": lambda v, env: "true" if v else "false",
    "date": lambda v, env: v.isoformat(),
    "datetime": lambda v, env: v.astimezone(env.reader.time_zone).replace(tzinfo=None).isoformat(" ", "minutes"),
    "time": lambda v, env: v.isoformat("minutes"),
    "duration": lambda v, env: hours_and_minutes(v),
    "period": lambda v, env: str(v),
    "money": _money,
    "list": lambda v, env: ", ".join(v),
    "name": lambda v, env: name_text(v),
    "address": lambda v, env: address_text(v),
    "location": lambda v, env: f"{v.latitude:.6f}, {v.longitude:.6f}",
    "record": _record,
}


def _by_python_type() -> tuple[tuple[Any, str], ...]:
    from datetime import date, datetime, time
    from decimal import Decimal

    from trellis.formula.types import Location, Money

    return (
        (str, "text"),
        (bool, "boolean"),
        ((int, Decimal), "number"),
        (datetime, "datetime"),
        (date, "date"),
        (time, "time"),
        (timedelta, "duration"),
        (Money, "money"),
        (Location, "location"),
        (Ref, "record"),
    )


_BY_PYTHON_TYPE = _by_python_type()
