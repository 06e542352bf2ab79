"""In what order titles stand, whatever their script: letters without case and accents, Chinese by its pinyin.

PostgreSQL that comes along has no order but that of code points, so the order is a text that is stored with the record.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

HAN = re.compile("[〇㐀-䶿一-鿿豈-﫿\U00020000-\U0003ffff]+")
LONGEST = 120  # characters of a text that count for its order
WORD = 4  # characters that people write together in pinyin
LONGEST_RUN = 30  # Chinese characters in a row that are found by their pinyin
SURNAMES = {
    "单": "shan4", "曾": "zeng1", "仇": "qiu2", "解": "xie4", "查": "zha1", "区": "ou1",
    "盖": "ge3", "华": "hua4", "朴": "piao2", "缪": "miao4", "翟": "zhai2", "覃": "qin2",
    "员": "yun4", "乐": "yue4", "召": "shao4", "种": "chong2", "任": "ren2", "宓": "mi4",
    "冼": "xian3", "尉迟": "yu4 chi2", "万俟": "mo4 qi2", "澹台": "tan2 tai2",
    "单于": "chan2 yu2", "长孙": "zhang3 sun1",
}  # fmt: skip
"""Surnames that are read otherwise than the character elsewhere."""


def sort_key(text: str) -> str:
    """What a text is ordered by: `Müller` stands with `muller`, 张 with `zhang`, the same character together."""
    found: list[str] = []
    for piece, is_han in _pieces(text[:LONGEST]):
        if is_han:
            found.extend(f"{sound}{letter} " for letter, sound in zip(piece, _sounds(piece), strict=False))
        else:
            found.append(_fold(piece))
    return " ".join("".join(found).split())


def name_key(last: str, *others: str) -> str:
    """What a person's name is ordered by: the last name first, Chinese ones as surnames are read."""
    sound = SURNAMES.get(last)
    if sound is None:
        first = sort_key(last)
    else:
        first = " ".join(f"{syllable}{letter}" for syllable, letter in zip(sound.split(), last, strict=True))
    return " ".join(part for part in (first, *(sort_key(other) for other in others)) if part)


def spelled(run: str) -> Iterator[str]:
    """By which letters a run of Chinese characters is found: its pinyin and its initials, from each character on."""
    if not run or len(run) > LONGEST_RUN:
        return
    sounds = [sound.rstrip("12345") for sound in _sounds(run)]
    for start in range(len(sounds)):
        yield "".join(sounds[start:])
        yield "".join(sound[0] for sound in sounds[start:])
        for end in range(start + 1, min(start + WORD, len(sounds)) + 1):
            yield "".join(sounds[start:end])  # what stands between blanks: zhang san, shanghai maoyi


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    """The parts of a text, and whether each is Chinese."""
    at = 0
    for match in HAN.finditer(text):
        if match.start() > at:
            yield text[at : match.start()], False
        yield match.group(), True
        at = match.end()
    if at < len(text):
        yield text[at:], False


def _fold(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFC", "".join(c for c in decomposed if not unicodedata.combining(c)))


@lru_cache(maxsize=4096)
def _sounds(run: str) -> tuple[str, ...]:
    """The pinyin of each character, with its tone; read as the words that they make."""
    from pypinyin import Style, lazy_pinyin  # tens of megabytes: only where there is Chinese

    sounds = lazy_pinyin(run, style=Style.TONE3, v_to_u=False)
    if len(sounds) != len(run):  # characters that nobody reads come as one
        sounds = [sound for letter in run for sound in lazy_pinyin(letter, style=Style.TONE3)]
    return tuple(sounds)
