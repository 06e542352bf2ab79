"""Text in SQL, as texts.py has it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement
from sqlalchemy.dialects import postgresql as pg

from trellis.formula import limits, texts
from trellis.formula.sql import values as sqlv

Column = ColumnElement[Any]
TEXT = sa.Text()
CASE_COLLATION = "pg_c_utf8"
"""PostgreSQL's own Unicode letters, letter for letter, whatever the database's locale is (from version 17)."""


def upper(text: Column) -> Column:
    """In capitals."""
    return sa.func.upper(text.collate(CASE_COLLATION), type_=TEXT)


def lower(text: Column) -> Column:
    """In small letters."""
    return sa.func.lower(text.collate(CASE_COLLATION), type_=TEXT)


def trim(text: Column) -> Column:
    """Without spaces at both ends."""
    return sa.func.btrim(text, texts.SPACES, type_=TEXT)


def count(n: Column) -> Column:
    """A number of characters, in bounds."""
    bounded = sa.func.greatest(0, sa.func.least(sa.func.trunc(sqlv.numeric(n)), limits.MAX_TEXT))
    return sa.cast(sa.case((n.is_not(None), bounded)), sa.Integer())


def mid(text: Column, start: Column, n: Column | None) -> Column:
    """Characters from a position."""
    begin = sa.func.greatest(count(start), 1)
    given = sa.case((start.is_not(None), begin))
    return sa.func.substr(text, given, type_=TEXT) if n is None else sa.func.substr(text, given, count(n), type_=TEXT)


def replace(text: Column, old: Column, new: Column) -> Column:
    """Every `old` replaced, bounded."""
    replaced = sa.func.replace(sa.func.left(text, texts.MAX_REPLACED), old, sa.func.left(new, texts.MAX_REPLACEMENT))
    return sa.case((old == "", text), else_=sa.func.left(replaced, limits.MAX_TEXT, type_=TEXT))


def is_within(text: Column, piece: Column) -> Column:
    """Does the text hold the piece, by code point?"""
    return sa.func.strpos(text.collate("C"), piece.collate("C")) > 0


def starts_with(text: Column, piece: Column) -> Column:
    """Does the text begin with the piece?"""
    return sa.func.starts_with(text, piece, type_=sa.Boolean())


def ends_with(text: Column, piece: Column) -> Column:
    """Does the text end with the piece?"""
    return sa.func.right(text, sa.func.char_length(piece), type_=TEXT) == piece


def split(text: Column, separator: Column) -> Column:
    """The parts between separators; of a blank separator, blank."""
    parts = sa.func.string_to_array(text, separator, type_=pg.ARRAY(TEXT))
    return sa.case((separator.is_not(None), parts))


def join(items: Column, separator: Column) -> Column:
    """The items in one text."""
    joined = sa.func.array_to_string(items, sa.func.left(separator, texts.MAX_REPLACEMENT))
    return sa.func.left(joined, limits.MAX_TEXT, type_=TEXT)


def _letters(text: Column) -> Column:
    blanks = sa.literal(texts.SPACES, TEXT)
    return sa.func.translate(lower(sa.func.left(text, texts.MAX_COMPARED, type_=TEXT)), blanks, "", type_=TEXT)


def _bigrams(letters: Column, among: Column | None = None) -> Column:
    """The distinct pairs of letters as an array: all, or those that are among others."""
    length = sa.func.greatest(sa.func.char_length(letters) - 1, 1)
    series = sa.func.generate_series(1, length).table_valued("i").render_derived()
    pair = sa.func.substr(letters, series.c.i, 2, type_=TEXT)
    select = sa.select(sa.func.array_agg(sa.distinct(pair), type_=pg.ARRAY(TEXT))).select_from(series)
    if among is not None:
        select = select.where(sa.func.array_position(among, pair).is_not(None))
    return select.correlate_except(series).scalar_subquery()


def _size(items: Column) -> Column:
    return sa.func.coalesce(sa.func.cardinality(items), 0, type_=sa.Integer())


def is_similar(a: Column, b: Column, least: Column | None) -> Column:
    """Do two texts share enough of their pairs of letters?"""
    x, y = _letters(a), _letters(b)
    wanted = sa.cast(texts.DEFAULT_SIMILARITY, sa.Numeric()) if least is None else sqlv.numeric(least)
    shared, total = _size(_bigrams(x, _bigrams(y))), _size(_bigrams(x)) + _size(_bigrams(y))
    enough = sa.and_(x != "", y != "", 2 * shared >= wanted * total)
    return sa.case((sa.and_(a.is_not(None), b.is_not(None), wanted.is_not(None)), enough))
