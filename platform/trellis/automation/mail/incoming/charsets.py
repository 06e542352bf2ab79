"""Bytes of letters as text: by the character set that is said, by what it is in truth, or by what can be read."""

from __future__ import annotations

import codecs

# what is said, and what is meant: the larger set that programs write in its name
MEANT = {
    "gb2312": "gb18030",
    "gb_2312-80": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "cp936": "gb18030",
    "hz": "hz",
    "big5": "big5hkscs",
    "iso-8859-1": "cp1252",
    "latin-1": "cp1252",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "unknown-8bit": "utf-8",
    "default": "utf-8",
}
GUESSES = ("utf-8", "gb18030", "cp1252")


def text_of(content: bytes, charset: str | None) -> str:
    """The text of some bytes; nothing of it is ever refused."""
    said = (charset or "utf-8").strip().strip("\"'").lower()
    for name in dict.fromkeys((MEANT.get(said, said), *GUESSES)):
        try:
            return _clean(content.decode(codecs.lookup(name).name))
        except (LookupError, UnicodeDecodeError):
            continue
    return _clean(content.decode("latin-1"))


def mended(text: str) -> str:
    """A header in which bytes were left over that its character set does not know."""
    if not any("\udc80" <= letter <= "\udcff" for letter in text):
        return _clean(text)
    for said in ("ascii", "gb2312", "utf-8"):
        try:
            return text_of(text.encode(said, "surrogateescape"), "gb2312" if said == "gb2312" else None)
        except UnicodeEncodeError:
            continue
    return _clean(text.encode("utf-8", "replace").decode("utf-8", "replace"))


def _clean(text: str) -> str:
    """Without what a database does not keep."""
    return text.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
