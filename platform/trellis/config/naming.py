"""Which words of a dashboard's widgets name documents: said by the widgets' registry, asked by `without:`.

What a widget is stands in the model, which this package may not import; so its registry brings the words here.
"""

from __future__ import annotations

NAMES = "x-names"
"""In a schema: the kind of document that a text names, such as `report`; what follows a dot is its own affair."""

_widgets: dict[str, set[str]] = {}


def widget_names(word: str, kind: str) -> None:
    """Note that a widget's word names documents of a kind."""
    _widgets.setdefault(kind, set()).add(word)


def widget_words(kind: str) -> frozenset[str]:
    """The words of widgets that name documents of a kind."""
    return frozenset(_widgets.get(kind, ()))
