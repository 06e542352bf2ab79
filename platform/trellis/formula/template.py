"""Texts with {formulas} in them."""

from __future__ import annotations

from dataclasses import dataclass

from trellis.formula import limits
from trellis.formula.errors import FormulaError, FormulaFault


@dataclass(frozen=True, slots=True)
class Part:
    """Plain text, or a formula with the place of its first character."""

    start: int
    end: int
    text: str
    formula: str | None = None


def split(text: str) -> list[Part]:
    """The parts of a template; `{{` and `}}` are braces. Raises FormulaError where a brace is not closed."""
    parts: list[Part] = []
    plain: list[str] = []
    begin = at = 0
    while at < len(text):
        character = text[at]
        if character in "{}" and text[at : at + 2] == character * 2:
            plain.append(character)
            at += 2
        elif character == "{":
            if plain:
                parts.append(Part(begin, at, "".join(plain)))
                plain = []
            end = _closing(text, at)
            parts.append(Part(at + 1, end, "", text[at + 1 : end]))
            at = begin = end + 1
        else:
            plain.append(character)
            at += 1
    if plain:
        parts.append(Part(begin, at, "".join(plain)))
    if sum(1 for p in parts if p.formula is not None) > limits.MAX_NODES // 4:
        raise FormulaError([FormulaFault("E407", "the text has too many formulas", 0, len(text))], text)
    return parts


def _closing(text: str, opening: int) -> int:
    """Where the brace closes; braces within quotes do not count."""
    quote = ""
    at = opening + 1
    while at < len(text):
        character = text[at]
        if quote:
            if character == "\\":
                at += 1
            elif character == quote:
                quote = ""
        elif character in "\"'":
            quote = character
        elif character == "}":
            return at
        at += 1
    raise FormulaError(
        [FormulaFault("E401", "'{' is not closed", opening, 1, "write {{ for a brace in the text")], text
    )
