"""Full text search in any language: tokens are made here, so that PostgreSQL needs no dictionary and no extension."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

import sqlalchemy as sa

_CJK = "⺀-〇々〆぀-ヿ㄀-ㄯ㐀-䶿一-鿿豈-﫿가-힯ｦ-ﾟ\U00020000-\U0003ffff"
_RUN = re.compile(rf"[{_CJK}]+|[^\W_{_CJK}]+")
_IS_CJK = re.compile(rf"[{_CJK}]")
MAX_TOKENS = 4000
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
    """What a record is found by: words, and for CJK every pair of characters with the last one alone."""
    found: dict[str, None] = {}
    for text in texts:
        for word, cjk in runs(text):
            if cjk:
                for start in range(len(word)):
                    found[word[start : start + 2]] = None
            else:
                found[word[:MAX_LENGTH]] = None
            if len(found) >= MAX_TOKENS:
                return list(found)
    return list(found)


def query_text(q: str) -> str | None:
    """A search as a tsquery: all words, the last one by its beginning; None when nothing can be searched for."""
    words = list(runs(q))[:20]
    parts: list[str] = []
    for index, (word, cjk) in enumerate(words):
        is_last = index == len(words) - 1
        if not cjk:
            parts.append(_lexeme(word[:MAX_LENGTH], prefix=is_last))
        elif len(word) == 1:
            parts.append(_lexeme(word, prefix=True))
        else:
            parts.extend(_lexeme(word[start : start + 2], prefix=False) for start in range(len(word) - 1))
    return " & ".join(parts) or None


def _lexeme(word: str, *, prefix: bool) -> str:
    """A word as a tsquery operand; words hold letters and digits only, so nothing needs escaping but the quotes."""
    return f"'{word}'{':*' if prefix else ''}"


def matches(column: sa.ColumnElement[object], q: str) -> sa.ColumnElement[bool]:
    """Whether the record of this `search` column matches the search; true for an empty search."""
    text = query_text(q)
    if text is None:
        return sa.true() if not q.strip() else sa.false()
    return column.op("@@", return_type=sa.Boolean())(sa.cast(sa.literal(text, sa.Text()), _TsQuery()))


def vector_text(words: Iterable[str]) -> str:
    """Tokens as PostgreSQL writes a tsvector; they hold letters and digits only, so nothing needs escaping."""
    return " ".join(f"'{word}'" for word in words)


class _TsQuery(sa.types.UserDefinedType[str]):
    """PostgreSQL's tsquery, as the target of a cast."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "tsquery"
