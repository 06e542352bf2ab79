"""What is wrong with a formula, in the reader's language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _l

from trellis.config.phrase import Phrase
from trellis.formula.types import Type
from trellis.web.context import current_model
from trellis.web.i18n import say

if TYPE_CHECKING:
    from trellis.formula.errors import FormulaFault

KINDS = {
    "text": _l("text"),
    "number": _l("number"),
    "money": _l("money"),
    "boolean": _l("boolean"),
    "date": _l("date"),
    "datetime": _l("datetime"),
    "time": _l("time"),
    "duration": _l("duration"),
    "period": _l("period"),
    "record": _l("record"),
    "records": _l("records"),
    "list": _l("list"),
    "name": _l("name"),
    "address": _l("address"),
    "location": _l("location"),
    "json": _l("JSON"),
    "blank": _l("blank"),
}


def formula_words(fault: FormulaFault) -> str:
    """A fault with what to do about it: unknown name 'amout' (did you mean 'amount'?)."""
    said = phrase_words(fault.message)
    return gettext("%(fault)s (%(hint)s)", fault=said, hint=phrase_words(fault.hint)) if fault.hint else said


def phrase_words(text: str) -> str:
    """A sentence of the formula language; what was put into it is worded too."""
    if not isinstance(text, Phrase):
        return str(gettext(text)) if text else ""
    return str(gettext(text.pattern)).format_map({key: _word(value) for key, value in text.params.items()})


def _word(value: Any) -> Any:
    if isinstance(value, Phrase):
        return phrase_words(value)
    if isinstance(value, Type):
        return _type_words(value)
    if isinstance(value, list | tuple):
        comma = gettext(" or ") if isinstance(value, tuple) else gettext(", ")
        return comma.join(str(_word(item)) for item in value)
    return value


def _type_words(type_: Type) -> str:
    """A type as people call it: a number, a list of texts, a record by its entity's label."""
    if type_.entities:
        known = current_model().entities
        labels = [say(known[key].label) if key in known else key for key in type_.entities]
        pattern = gettext("records of {entity}") if type_.kind == "records" else gettext("record of {entity}")
        return str(pattern.format(entity=gettext(" or ").join(labels)))
    if type_.item is not None:
        return str(gettext("list of {type}").format(type=_type_words(type_.item)))
    return str(KINDS.get(type_.kind, type_.kind))
