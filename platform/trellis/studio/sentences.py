"""What the checker says most often, in the reader's language: it writes English sentences with names in them."""

from __future__ import annotations

import re
from functools import cache

from flask_babel import lazy_gettext as _l

# {a} and {b} are names and values; what stands in no pattern is shown as the checker wrote it
SENTENCES = {
    "unknown key '{a}'": _l("unknown key '{a}'"),
    "'{a}' is missing": _l("'{a}' is missing"),
    "'{a}' is not a key": _l("'{a}' is not a key"),
    "unknown kind '{a}'": _l("unknown kind '{a}'"),
    "unknown field type '{a}'": _l("unknown field type '{a}'"),
    "unknown entity '{a}'": _l("unknown entity '{a}'"),
    "unknown field '{a}'": _l("unknown field '{a}'"),
    "unknown role '{a}'": _l("unknown role '{a}'"),
    "unknown stage '{a}'": _l("unknown stage '{a}'"),
    "unknown module '{a}'": _l("unknown module '{a}'"),
    "unknown setting '{a}'": _l("unknown setting '{a}'"),
    "unknown view '{a}'": _l("unknown view '{a}'"),
    "unknown section '{a}'": _l("unknown section '{a}'"),
    "unknown choice '{a}'": _l("unknown choice '{a}'"),
    "expected {a}, found {b}": _l("expected {a}, found {b}"),
    "{a} is not known here": _l("{a} is not known here"),
    "key '{a}' is already set on line {b}": _l("key '{a}' is already set on line {b}"),
    "'{a}' is locked by {b}": _l("'{a}' is locked by {b}"),
    "the list has no '{a}'": _l("the list has no '{a}'"),
    "edits a list that no earlier layer gives": _l("edits a list that no earlier layer gives"),
    "no move leads to stage '{a}'": _l("no move leads to stage '{a}'"),
    "{a} is already written in {b}": _l("{a} is already written in {b}"),
    "not readable as YAML: {a}": _l("not readable as YAML: {a}"),
    "nested deeper than {a} levels": _l("nested deeper than {a} levels"),
    "the file is larger than {a}": _l("the file is larger than {a}"),
    "YAML tags are not used here: {a}": _l("YAML tags are not used here: {a}"),
    "this company is called '{a}' and cannot be renamed here": _l(
        "this company is called '{a}' and cannot be renamed here"
    ),
    # hints
    "tabs do not indent; use spaces": _l("tabs do not indent; use spaces"),
    "use spaces, not tabs": _l("use spaces, not tabs"),
    "quote the formula": _l("quote the formula"),
    "indent it like the lines beside it": _l("indent it like the lines beside it"),
    "a space goes after '{a}:'": _l("a space goes after '{a}:'"),
    "add it to `moves`, or remove it": _l("add it to `moves`, or remove it"),
    "write both as one document": _l("write both as one document"),
}


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    made = []
    for sentence in SENTENCES:
        pattern = re.escape(sentence).replace(r"\{a\}", "(?P<a>.+?)").replace(r"\{b\}", "(?P<b>.+)")
        made.append((re.compile(pattern, re.DOTALL), sentence))
    return made


def reworded(text: str) -> str:
    """The sentence in the reader's language, with the same names in it."""
    for pattern, sentence in _patterns():
        if (found := pattern.fullmatch(text)) is not None:
            return str(SENTENCES[sentence]).format_map(found.groupdict())
    return text
