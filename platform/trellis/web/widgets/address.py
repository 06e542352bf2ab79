"""The widget of postal addresses: the boxes that a country asks for, in its order and by its names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from flask_babel import gettext as _

from trellis.model.fields.compound import ADDRESS_PARTS
from trellis.model.known import known_choices
from trellis.model.postal import LARGEST_FIRST, country_rules
from trellis.web.widgets.base import widget
from trellis.web.widgets.compound import Parts

if TYPE_CHECKING:
    from trellis.formula.reader import Reader
    from trellis.web.widgets.bound import BoundField


@dataclass(frozen=True)
class Box:
    """A box of an address: what it is called there, how much of a row of six it takes."""

    part: str
    label: str
    width: int
    required: bool  # the country asks for it


def boxes(country: str, reader: Reader) -> list[Box]:
    """The boxes of an address in a country, or in the reader's own while none is chosen."""
    rules = country_rules(country) or country_rules(reader.region)
    if rules is None:
        return [Box(part, text, width, False) for part, text, width in _plain()]
    order = rules.order(local=reader.language.split("-")[0] in LARGEST_FIRST)
    names = {part: _names(part).get(name) for part, name in rules.names.items()}
    plain = {part: text for part, text, _width in _plain()}
    widths = dict(_widths(order))
    asked = rules.required if country else frozenset()
    return [Box(part, names.get(part) or plain[part], widths[part], part in asked) for part in order]


def _plain() -> list[tuple[str, str, int]]:
    return [
        ("street", _("Street and number"), 4),
        ("street2", _("Addition"), 2),
        ("postcode", _("Postcode"), 2),
        ("city", _("City"), 4),
        ("region", _("Region"), 3),
        ("country", _("Country"), 3),
    ]


def _names(part: str) -> dict[str, str]:
    """What a part is called where it is not called as everywhere."""
    return {
        "postcode": {"zip": _("ZIP code"), "pin": _("PIN code"), "eircode": _("Eircode")},
        "city": {"post_town": _("Town"), "district": _("District"), "suburb": _("Suburb")},
        "region": {
            "province": _("Province"),
            "state": _("State"),
            "county": _("County"),
            "island": _("Island"),
            "department": _("Department"),
            "oblast": _("Oblast"),
            "parish": _("Parish"),
            "do_si": _("Province or city"),
            "area": _("Area"),
            "district": _("District"),
            "emirate": _("Emirate"),
            "prefecture": _("Prefecture"),
        },
    }.get(part, {})


def _widths(order: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    """The street with its addition on a row, the others two by two, a postcode the narrower."""
    yield from (("street", 4), ("street2", 2))
    others = [part for part in order if not part.startswith("street")]
    for start in range(0, len(others), 2):
        row = others[start : start + 2]
        if len(row) == 1:
            yield row[0], 6
        elif "postcode" in row:
            yield from ((part, 2 if part == "postcode" else 4) for part in row)
        else:
            yield from ((part, 3) for part in row)


@widget("address")
class Address(Parts):
    """A postal address."""

    parts: ClassVar[tuple[str, ...]] = ADDRESS_PARTS

    def context(self, bound: BoundField) -> Mapping[str, Any]:
        """The boxes of the country with what stands in them, those it has no use for closed, and all countries."""
        value = bound.value if isinstance(bound.value, Mapping) else {}
        language = bound.reader.language
        shown = boxes(str(value.get("country") or ""), bound.reader)
        named = {box.part for box in shown}
        spare = [Box(part, text, width, False) for part, text, width in _plain() if part not in named]
        countries = [(c.key, c.label.in_language(language)) for c in known_choices("countries")]
        return {
            "boxes": [(box, str(value.get(box.part) or ""), False) for box in shown]
            + [(box, text, not text) for box in spare for text in [str(value.get(box.part) or "")]],
            "complete": bool(getattr(bound.field.type, "complete", False)),
            "countries": sorted(countries, key=lambda c: c[1].casefold()),
        }
