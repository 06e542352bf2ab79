"""Known lists, currencies' minor units, and choices found by name."""

from __future__ import annotations

import pytest

from trellis.model.choice import Choice, find_choice
from trellis.model.known import KNOWN_LISTS, known_choices, minor_units, read_currency
from trellis.model.text import Text


@pytest.mark.parametrize(
    ("kind", "key", "label", "german"),
    [
        ("countries", "CN", "China", "China"),
        ("currencies", "CHF", "Swiss Franc", "Schweizer Franken"),
        ("languages", "zh-Hans", "Simplified Chinese", "Chinesisch (vereinfacht)"),
        ("time_zones", "Europe/Berlin", "Germany (Berlin) Time", "Deutschland (Berlin) (Ortszeit)"),
    ],
)
def test_known_lists_have_names_in_every_language(kind: str, key: str, label: str, german: str) -> None:
    found = {choice.key: choice for choice in known_choices(kind)}
    assert str(found[key].label) == label
    assert found[key].label.in_language("de-AT") == german


def test_known_lists_have_the_sizes_of_their_standards() -> None:
    sizes = {kind: len(known_choices(kind)) for kind in KNOWN_LISTS}
    assert 245 <= sizes["countries"] <= 252
    assert 150 <= sizes["currencies"] <= 165
    assert sizes["languages"] > 100
    assert sizes["time_zones"] > 400


@pytest.mark.parametrize(
    ("currency", "places"), [("EUR", 2), ("JPY", 0), ("KWD", 3), ("HUF", 2), ("CLP", 0), ("IQD", 3)]
)
def test_minor_units_follow_iso_4217(currency: str, places: int) -> None:
    assert minor_units(currency) == places


@pytest.mark.parametrize(
    ("text", "near", "code"),
    [
        ("eur", "", "EUR"), ("€", "", "EUR"), ("$", "CAD", "CAD"), ("$", "EUR", "USD"),
        ("\uffe5", "", "CNY"), ("¥", "JPY", "JPY"), ("Euro", "", "EUR"), ("?", "", None),
    ],
)  # fmt: skip
def test_currencies_are_read_by_code_symbol_and_name(text: str, near: str, code: str | None) -> None:
    assert read_currency(text, "en", near) == code


def test_a_choice_is_found_by_key_label_translation_and_former_key() -> None:
    choices = (Choice("low", Text("Low", {"de": "Niedrig"}), was="minor"), Choice("niedrig", Text("Deep")))
    assert find_choice(choices, "LOW") is choices[0]
    assert find_choice(choices, "minor") is choices[0]
    assert find_choice(choices, "Niedrig") is choices[1]
    assert find_choice(choices, " deep ") is choices[1]
    assert find_choice(choices, "other") is None
