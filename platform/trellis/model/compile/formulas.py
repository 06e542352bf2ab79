"""Compiles the formulas of the configuration, with faults at their place inside the YAML file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trellis.config.position import locate
from trellis.formula.formula import Formula, FormulaError, compile_formula, compile_template
from trellis.formula.types import BOOLEAN, Type
from trellis.model.compile.context import Context
from trellis.model.compile.item import Item
from trellis.model.given import Given

if TYPE_CHECKING:
    from trellis.formula.scope import Scope


def formula(ctx: Context, item: Item | None, scope: Scope, expected: Type | None = None) -> Formula | None:
    """The formula that a property holds; a leading `=` does no harm. None when it is missing or faulty."""
    if item is None or isinstance(item.data, dict | list):
        return None
    text = item.text
    source = text.lstrip()
    if source.startswith("=") and not source.startswith("=="):
        source = source[1:]
    skipped = len(text) - len(source)
    try:
        return _advised(ctx, item, compile_formula(source, scope, expected=expected), skipped)
    except FormulaError as error:
        report(ctx, item, error, skipped)
        return None


def condition(ctx: Context, item: Item | None, scope: Scope) -> Formula | None:
    """A formula that is true or false."""
    return formula(ctx, item, scope, BOOLEAN)


def template(ctx: Context, item: Item | None, scope: Scope) -> Formula | None:
    """A text with {formulas} in it."""
    if item is None or isinstance(item.data, dict | list):
        return None
    try:
        return _advised(ctx, item, compile_template(item.text, scope), 0)
    except FormulaError as error:
        report(ctx, item, error, 0)
        return None


def part(ctx: Context, item: Item, start: int, end: int, scope: Scope, expected: Type | None = None) -> Formula | None:
    """The formula that stands between two characters of a text."""
    try:
        return _advised(ctx, item, compile_formula(item.text[start:end], scope, expected=expected), start)
    except FormulaError as error:
        report(ctx, item, error, start)
        return None


def given(ctx: Context, item: Item, scope: Scope, expected: Type | None = None) -> Given:
    """What `set:` and the like hold: a formula after `=`, a text with {formulas}, a plain value, or several of them."""
    if isinstance(item.data, dict):
        return Given(parts={key: given(ctx, inner, scope) for key, inner in item.entries()})
    if isinstance(item.data, list):
        return Given(parts=tuple(given(ctx, inner, scope) for inner in item.each()))
    if not isinstance(item.data, str):
        return Given(plain=item.data)
    if item.text.startswith("=="):
        return Given(plain=item.text[1:])
    if item.text.startswith("="):
        return Given(formula(ctx, item, scope, expected))
    return Given(template(ctx, item, scope)) if "{" in item.text else Given(plain=item.text)


def said(ctx: Context, item: Item, scope: Scope, *, is_spoken: bool = True) -> Given:
    """A text for people: what is written, and its translations, each of which may hold {formulas}.

    `is_spoken`: their values are written as their reader does.
    """
    made = replace(given(ctx, item, scope), is_spoken=is_spoken)
    texts = ctx.translated(item.text, item.full_path).translations
    if not texts:
        return made
    translations = {
        language: replace(given(ctx, item.plain(text), scope), is_spoken=is_spoken) for language, text in texts.items()
    }
    return replace(made, translations=translations)


def _advised(ctx: Context, item: Item, compiled: Formula, skipped: int) -> Formula:
    for said in compiled.advice:
        ctx.problem(said.code, said.message, item, said.hint, mark=locate(item.place, skipped + said.offset))
    return compiled


def report(ctx: Context, item: Item, error: FormulaError, skipped: int) -> None:
    """Note the faults of a formula where they stand in the file."""
    for fault in error.faults:
        hint = _cut_off(item) or fault.hint
        ctx.problem(fault.code, fault.message, item, hint, mark=locate(item.place, skipped + fault.offset))


def _cut_off(item: Item) -> str:
    """YAML ends an unquoted formula in {…} at a comma or bracket: the next characters in the file tell."""
    if item.place.style:
        return ""
    rest = item.place.source.line(item.place.line)[item.place.column - 1 + len(item.text) :].lstrip()
    opened = item.text.count("(") - item.text.count(")") + item.text.count("[") - item.text.count("]")
    return "quote the formula" if rest[:1] in (",", "]", "}") and opened > 0 else ""
