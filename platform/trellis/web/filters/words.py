"""A formula for people who do not write any: fields by their labels, signs and words of the reader's language."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flask_babel import gettext as _

from trellis.records.pipelines.pipeline import tracks
from trellis.web.cells.column import label_of, resolve
from trellis.web.cells.options import options_of

if TYPE_CHECKING:
    from trellis.formula.formula import Formula
    from trellis.model.entity import Entity
    from trellis.records.store import Store

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[A-Za-z_][\w.]*|[=!<>]=|\S|\s+')
CHOSEN = ("==", "!=")  # before a choice these are words
SIGNS = {"==": "=", "!=": "≠", "<=": "≤", ">=": "≥", "*": "×"}


def in_words(store: Store, entity: Entity, formula: Formula) -> str:
    """What a formula asks, as near to words as its text is."""
    model, reader = store.tenant.model, store.principal.reader
    words = {
        "and": _("and"),
        "or": _("or"),
        "not": _("not"),
        "me": _("me"),
        "my_team": _("my team"),
        "in": _("is one of"),
        "blank": _("empty"),
    }
    of_stage = {track.type: track.field for track in tracks(entity)}  # “Stage is open”, not “Stage type”
    labels: dict[str, str] = {}  # of the choices of the field that was named last
    said: list[str] = []
    for token in TOKEN.findall(" ".join(formula.source.split())):
        if token.startswith('"'):
            text = token[1:-1].replace('\\"', '"')
            said.append(labels.get(text) or f"“{text}”")
        elif found := resolve(model, entity, token) if token[0].isalpha() else None:
            labels = {o.key: o.label for o in options_of(model, found[0], found[1], reader).values()}
            said.append(label_of(model, entity, of_stage.get(token, token), reader.language))
        elif labels and token in CHOSEN:
            said.append(_("is") if token == "==" else _("is not"))
        else:
            said.append(SIGNS.get(token) or words.get(token, token))
    return "".join(said)
