"""Reading what was typed into a form: keys from labels, numbers, several labels by language."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from pypinyin import lazy_pinyin

from trellis.web.context import current_language, current_tenant
from trellis.web.i18n import language_name, say

if TYPE_CHECKING:
    from collections.abc import Collection

    from werkzeug.datastructures import MultiDict

    from trellis.model.text import Text
    from trellis.studio.changes.registry import Desk, Written
    from trellis.studio.writing import Edit

LONGEST_KEY = 50
LONGEST_LABEL = 120
_KEY = re.compile(r"[a-z][a-z0-9_]{0,49}")


def text(given: MultiDict[str, str], name: str, longest: int = LONGEST_LABEL) -> str:
    """A line of text."""
    return " ".join(given.get(name, "").split())[:longest]


def key_of(label: str) -> str:
    """A key made of a label: “Shoe size” → shoe_size, 鞋码 → xie_ma."""
    latin = "_".join(lazy_pinyin(label)) if any(ord(c) > 0x2E7F for c in label) else label
    key = re.sub(r"[^a-z0-9]+", "_", latin.lower()).strip("_")[:LONGEST_KEY]
    return key if key[:1].isalpha() or not key else f"f_{key}"[:LONGEST_KEY]


def typed_key(given: MultiDict[str, str], label: str, taken: Collection[str], faults: dict[str, str]) -> str:
    """The key that was typed, else one made of the label; what is wrong with it goes to the faults."""
    typed = text(given, "key")
    key = typed or key_of(label)
    if not _KEY.fullmatch(key):
        faults["key" if typed or not label else "label"] = _(
            "The name in formulas takes small letters, digits and _, and begins with a letter."
        )
    elif key in taken:
        faults["key" if typed else "label"] = _("There is a “%(key)s” already: choose another name.", key=key)
    return key


def number(given: MultiDict[str, str], name: str, faults: dict[str, str], *, whole: bool = False) -> Any:
    """A number that was typed, or None."""
    typed = given.get(name, "").strip().replace(",", ".")
    if not typed:
        return None
    try:
        found = Decimal(typed)
    except InvalidOperation:
        faults[name] = _("“%(text)s” is no number.", text=typed)
        return None
    if not found.is_finite() or (whole and found != found.to_integral_value()) or abs(found) > 10**15:
        faults[name] = _("“%(text)s” is no whole number.", text=typed) if whole else _("That is too large.")
        return None
    return int(found) if found == found.to_integral_value() and "." not in typed else found


def relabelled(desk: Desk, label: Text, typed: str, path: str, edit: Edit, written: Written) -> None:
    """A label as its reader sees it, changed: in their language's translation where there is one, else in itself."""
    tag = current_language()
    if not typed or typed == say(label):
        return
    if tag in label.translations:
        written.texts.append((tag, path, typed))
    else:
        written.edits.append(edit)


def company_language() -> str:
    """The language that people of this company write labels in."""
    return current_tenant().profile.language


def languages(desk: Desk, but: str = "") -> list[tuple[str, str]]:
    """The languages that a label may be given in beside the one that it is written in: tag and name."""
    found = ["en", *desk.languages] if desk.languages else []
    return [(tag, language_name(tag)) for tag in found if tag != but]


def labels(given: MultiDict[str, str], desk: Desk) -> list[tuple[str, str | None]]:
    """The label in each of the languages; None where it is left to the label itself."""
    asked = [tag for tag, _name in languages(desk) if f"label.{tag}" in given]
    return [(tag, text(given, f"label.{tag}") or None) for tag in asked]
