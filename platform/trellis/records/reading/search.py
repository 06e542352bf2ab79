"""Full text search in any language: tokens are made here, so that PostgreSQL needs no dictionary and no extension."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from typing import Any

import sqlalchemy as sa

from trellis.model.collation import HAN, spelled

_CJK = "⺀-〇々〆぀-ヿ㄀-ㄯ㐀-䶿一-鿿豈-﫿가-힯ｦ-ﾟ\U00020000-\U0003ffff"
_RUN = re.compile(rf"[{_CJK}]+|[^\W_{_CJK}]+")
_IS_CJK = re.compile(rf"[{_CJK}]")
MAX_TOKENS = 4000
SPELLED = 120  # characters of a text whose Chinese is found by pinyin
MAX_LENGTH = 200  # bytes are limited to 2 kB by PostgreSQL; a longer word is found by its beginning


def fold(text: str) -> str:
    """Text as the search sees it: compatibility forms, case and accents folded away."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFKC", "".join(c for c in decomposed if not unicodedata.combining(c)))


def runs(text: str) -> Iterator[tuple[str, bool]]:
    """The words of a folded text; of each, whether it is written without blanks (CJK)."""
    for match in _RUN.finditer(fold(text)):
        word = match.group()
        yield word, bool(_IS_CJK.match(word))


def tokens(texts: Iterable[str]) -> list[str]:
    """What a record is found by: words, and for CJK every pair of characters with the last one alone.

    Chinese in short texts (names and titles) is found by its pinyin and by initials, too: 上海 by shanghai and sh.
    """
    found: dict[str, None] = {}
    for text in texts:
        for word, cjk in runs(text):
            if cjk:
                for start in range(len(word)):
                    found[word[start : start + 2]] = None
                if len(text) <= SPELLED and HAN.fullmatch(word):
                    found.update(dict.fromkeys(letters[:MAX_LENGTH] for letters in spelled(word)))
            else:
                found[word[:MAX_LENGTH]] = None
            if len(found) >= MAX_TOKENS:
                return list(found)
    return list(found)


def query_text(q: str, *, weight: str = "") -> str | None:
    """A search as a tsquery: all words, the last one by its beginning; None when nothing can be searched for."""
    words = list(runs(q))[:20]
    parts: list[str] = []
    for index, (word, cjk) in enumerate(words):
        is_last = index == len(words) - 1
        if not cjk:
            parts.append(_operand(word[:MAX_LENGTH], "*" if is_last else "", weight))
        elif len(word) == 1:
            parts.append(_operand(word, "*", weight))
        else:
            parts.extend(_operand(word[start : start + 2], "", weight) for start in range(len(word) - 1))
    text = " & ".join(parts) or None
    if text is not None and len(words) > 1 and _DIALLED.fullmatch(q.strip()):
        # a number in the groups of any country is one word with those who keep it
        return f"({text}) | {_operand(_NO_DIGIT.sub('', q), '*', weight)}"
    return text


_DIALLED = re.compile(r"[+(]?\d[\d\s()./-]{5,30}")
_NO_DIGIT = re.compile(r"\D")
LONG = 5  # letters from which on a word may hold a slip of the fingers
SURE = 3  # its first letters are taken as right, so that the index can be asked


def forgiving_text(q: str, *, weight: str = "") -> str | None:
    """A looser tsquery: of long words the first letters only; None when no word is long. See `is_near`."""
    words = [word for word, cjk in runs(q)][:20]
    if not any(_may_slip(word) for word in words):
        return None
    return " & ".join(_operand(word[:SURE] if _may_slip(word) else word[:MAX_LENGTH], "*", weight) for word in words)


def is_near(q: str, text: str) -> bool:
    """Whether every word of the search stands in the text, long ones with a letter wrong, missing or too many."""
    there = [word for word, _ in runs(text)]
    return all(any(_alike(word, other) for other in there) for word, _ in runs(q))


def _may_slip(word: str) -> bool:
    return len(word) >= LONG and not _IS_CJK.match(word)


def _alike(typed: str, there: str) -> bool:
    if there.startswith(typed):
        return True
    return _may_slip(typed) and SequenceMatcher(None, typed, there[: len(typed) + 1]).ratio() >= 0.8


def _operand(word: str, prefix: str, weight: str) -> str:
    """A word as a tsquery operand; words hold letters and digits only, so nothing needs escaping but the quotes."""
    label = prefix + weight
    return f"'{word}':{label}" if label else f"'{word}'"


def matches(column: sa.ColumnElement[Any], q: str, *, is_open: bool = True) -> sa.ColumnElement[bool]:
    """Whether the record of this `search` column matches the search; true for an empty search.

    Not `is_open`: only by words of fields that no role conceals.
    """
    text = query_text(q, weight="" if is_open else OPEN)
    if text is None:
        return sa.true() if not q.strip() else sa.false()
    return matches_text(column, sa.literal(text, sa.Text()))


def matches_text(column: sa.ColumnElement[Any], text: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Whether the record of this `search` column matches a tsquery in text."""
    return column.op("@@", return_type=sa.Boolean())(sa.cast(text, _TsQuery()))


def like_prefix(text: str) -> str:
    """A LIKE pattern, escaped by /, for what begins with the text."""
    return text.replace("/", "//").replace("%", "/%").replace("_", "/_") + "%"


def has_any(column: sa.ColumnElement[Any], beginnings: Iterable[str]) -> sa.ColumnElement[bool]:
    """Whether the record of this `search` column has a word with one of the beginnings."""
    text = " | ".join(_operand(word, "*", "") for word in beginnings)
    return column.op("@@", return_type=sa.Boolean())(sa.cast(sa.literal(text, sa.Text()), _TsQuery()))


OPEN, CONCEALED = "D", "A"  # the weights of words that everybody may find a record by, and of those some may not


def vector_text(words: Iterable[str], concealed: Iterable[str] | None = None) -> str:
    """Tokens as PostgreSQL writes a tsvector; they hold letters and digits only, so nothing needs escaping.

    `concealed` holds the words of fields that some role hides; with them, every word gets its weight.
    """
    if concealed is None:
        return " ".join(f"'{word}'" for word in words)
    places = {word: ["1"] for word in words}
    for word in concealed:
        places.setdefault(word, []).append(f"2{CONCEALED}")
    return " ".join(f"'{word}':{','.join(at)}" for word, at in places.items())


class _TsQuery(sa.types.UserDefinedType[str]):
    """PostgreSQL's tsquery, as the target of a cast."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "tsquery"
