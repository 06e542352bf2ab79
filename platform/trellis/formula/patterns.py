"""The patterns of format(): read once, written in Python and as to_char in SQL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from trellis.formula import exact
from trellis.formula.env import Env
from trellis.formula.nodes.base import Expr
from trellis.formula.nodes.convert import Convert
from trellis.formula.sql import moments as sqlm
from trellis.formula.sql import values as sqlv
from trellis.formula.sql.scope import SqlMoney, SqlScope, SqlValue
from trellis.formula.syntax import CallNode
from trellis.formula.types import TEXT, Value

_NUMBER = re.compile(r"(?P<whole>[#,]*0{0,20})(?:\.(?P<decimals>0{0,12}))?")
_TOKENS = re.compile(r"yyyy|yy|MM|M|dd|d|HH|H|mm|ss|[^A-Za-z]")
_TO_CHAR = {
    "yyyy": "YYYY",
    "yy": "YY",
    "MM": "MM",
    "M": "FMMM",
    "dd": "DD",
    "d": "FMDD",
    "HH": "HH24",
    "H": "FMHH24",
    "mm": "MI",
    "ss": "SS",
}
_CLOCK = {"HH", "H", "mm", "ss"}
_PARTS = {
    "yyyy": lambda v: f"{v.year:04d}",
    "yy": lambda v: f"{v.year % 100:02d}",
    "MM": lambda v: f"{v.month:02d}",
    "M": lambda v: str(v.month),
    "dd": lambda v: f"{v.day:02d}",
    "d": lambda v: str(v.day),
    "HH": lambda v: f"{v.hour:02d}",
    "H": lambda v: str(v.hour),
    "mm": lambda v: f"{v.minute:02d}",
    "ss": lambda v: f"{v.second:02d}",
}


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern for one kind of value."""

    kind: str
    tokens: tuple[str, ...] = ()
    digits: int = 1  # before the point, at least
    decimals: int = 0
    grouped: bool = False

    @staticmethod
    def of(kind: str, text: str) -> Pattern | None:
        """The pattern for a kind of value; None when it is none."""
        if kind in ("number", "money"):
            found = _NUMBER.fullmatch(text)
            if found is None or not text.strip("#,."):
                return None
            return Pattern(kind, (), found["whole"].count("0"), len(found["decimals"] or ""), "," in found["whole"])
        if kind not in ("date", "datetime", "time"):
            return None
        tokens = tuple(_TOKENS.findall(text))
        if "".join(tokens) != text or not any(t in _PARTS for t in tokens):
            return None
        used = set(tokens) & _PARTS.keys()
        if (kind == "date" and used & _CLOCK) or (kind == "time" and used - _CLOCK):
            return None
        return Pattern(kind, tokens)

    def apply(self, node: CallNode, value: Expr) -> Expr:
        """The call of format() with this pattern."""
        result = Convert(value, TEXT, self.write, self.sql, by_reader=self.kind == "datetime")
        result.start, result.end = node.start, node.end
        result.weight += value.weight
        return result

    def write(self, value: Value, env: Env) -> str:
        """A value in Python."""
        if self.kind in ("number", "money"):
            return self._number(value.amount if self.kind == "money" else value)
        if self.kind == "datetime":
            value = value.astimezone(env.reader.time_zone)
        return "".join(_PARTS[t](value) if t in _PARTS else t for t in self.tokens)

    def _number(self, value: Any) -> str:
        rounded = exact.round_half_away(value, self.decimals)
        whole, _, decimals = f"{abs(rounded):f}".partition(".")
        whole = whole.lstrip("0").rjust(self.digits, "0")
        if self.grouped:
            whole = re.sub(r"(?<=\d)(?=(\d{3})+$)", ",", whole)
        return ("-" if rounded < 0 else "") + whole + (f".{decimals}" if self.decimals else "")

    def sql(self, value: Any, scope: SqlScope) -> SqlValue:
        """A value in SQL."""
        if self.kind in ("number", "money"):
            return self._sql_number(value.amount if isinstance(value, SqlMoney) else sqlv.numeric(value))
        if self.kind == "datetime":
            value = sqlm.to_local(value, scope.reader)
        if self.kind == "time":
            value = sa.cast(value, sa.Interval())
        mask = "".join(
            _TO_CHAR.get(t) or ('"\\""' if t == '"' else '"\\\\"' if t == "\\" else f'"{t}"') for t in self.tokens
        )
        return sa.func.to_char(value, mask, type_=sa.Text())

    def _sql_number(self, value: Any) -> SqlValue:
        rounded = sa.func.round(value, self.decimals, type_=sa.Numeric())
        digits = sa.cast(sa.func.abs(rounded), sa.Text())
        whole = sa.func.ltrim(sa.func.split_part(digits, ".", 1), "0")
        whole = sa.func.lpad(whole, sa.func.greatest(sa.func.char_length(whole), self.digits), "0", type_=sa.Text())
        if self.grouped:
            whole = sa.func.regexp_replace(whole, r"(\d)(?=(\d{3})+$)", r"\1,", "g", type_=sa.Text())
        sign = sa.case((rounded < 0, "-"), else_="")
        written = sign.concat(whole)
        return written.concat(".").concat(sa.func.split_part(digits, ".", 2)) if self.decimals else written
