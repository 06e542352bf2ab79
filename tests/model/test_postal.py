"""Addresses by country: the order of a form and of a letter, what a country asks for, what its postcodes look like."""

from __future__ import annotations

import pytest

from trellis.formula.reader import Reader
from trellis.model.fields import FIELD_TYPES
from trellis.model.fields.base import Invalid
from trellis.model.known import known_keys
from trellis.model.postal import country_rules

FORMS = [
    ("DE", False, "street street2 postcode city country"),
    ("US", False, "street street2 city region postcode country"),
    ("GB", False, "street street2 city postcode country"),
    ("CN", True, "country postcode region city street street2"),
    ("CN", False, "street street2 city region postcode country"),
    ("KR", True, "country region city street street2 postcode"),
]
LETTERS = [
    ({"street": "1 Main St", "street2": "Flat 2", "city": "Austin", "region": "TX", "postcode": "78701",
      "country": "US"},
     "1 Main St\nFlat 2\nAustin, TX 78701\nUnited States"),
    ({"street": "1 Main St", "city": "Austin", "country": "US"}, "1 Main St\nAustin\nUnited States"),
    ({"street": "Domplatz 1", "city": "Köln", "region": "NRW", "country": "DE"}, "Domplatz 1\nKöln, NRW\nGermany"),
    ({"street": "Rue 1", "postcode": "1201", "city": "Genf", "country": "CH"}, "Rue 1\nCH-1201 Genf\nSwitzerland"),
    ({"street": "1 Raffles Place", "city": "Singapore", "postcode": "048616", "country": "SG"},
     "1 Raffles Place\nSINGAPORE 048616\nSingapore"),
    ({"street": "文三路1号", "city": "杭州市", "region": "浙江省", "postcode": "310000", "country": "CN"},
     "China\n310000\n浙江省杭州市文三路1号"),
    ({"street": "1 Wensan Rd", "city": "Hangzhou", "region": "Zhejiang", "postcode": "310000", "country": "CN"},
     "1 Wensan Rd\nHangzhou\nZhejiang, 310000\nChina"),
    ({"street": "千代田1-1", "city": "千代田区", "region": "東京都", "postcode": "100-0001", "country": "JP"},
     "Japan\n〒100-0001\n東京都千代田区千代田1-1"),
]  # fmt: skip


@pytest.mark.parametrize(("country", "local", "order"), FORMS)
def test_a_form_asks_in_the_order_of_the_country(country: str, local: bool, order: str) -> None:
    rules = country_rules(country)
    assert rules is not None
    assert " ".join(rules.order(local=local)) == order


@pytest.mark.parametrize(("address", "letter"), LETTERS)
def test_an_address_is_written_as_its_country_does(address: dict[str, str], letter: str) -> None:
    assert FIELD_TYPES["address"]().display(address, Reader(language="en", region="XX")) == letter


def test_what_is_no_country_has_no_rules() -> None:
    assert country_rules("") is None
    assert country_rules("QQ") is None


def test_every_country_has_rules_and_writes_all_parts() -> None:
    whole = {"street": "street", "street2": "more", "city": "city", "region": "region", "postcode": "1"}
    for code in known_keys("countries"):
        shown = FIELD_TYPES["address"]().display({**whole, "country": code}, Reader(language="en", region="XX"))
        assert all(text in shown for text in whole.values()), (code, shown)
        rules = country_rules(code)
        assert rules is not None
        assert "country" in rules.order(local=True)


@pytest.mark.parametrize(
    ("country", "typed", "kept"), [("DE", "50667", "50667"), ("GB", "sw1a 1aa", "SW1A 1AA"), ("CH", "CH-1201", "1201"),
     ("CN", "３１００００", "310000"), ("HK", "any", "ANY")]
)  # fmt: skip
def test_a_postcode_is_tidied_as_its_country_writes_it(country: str, typed: str, kept: str) -> None:
    address = FIELD_TYPES["address"]()
    value = address.parse({"postcode": typed, "country": country}, Reader())
    assert value == {"postcode": kept, "country": country}
    assert list(address.check(value)) == []


@pytest.mark.parametrize(("country", "typed"), [("DE", "5066"), ("GB", "1234"), ("CN", "31000"), ("US", "ABCDE")])
def test_a_postcode_of_another_country_is_refused(country: str, typed: str) -> None:
    address = FIELD_TYPES["address"]()
    assert [f.code for f in address.check({"postcode": typed, "country": country})] == ["postcode"]
    assert list(address.check({"postcode": typed})) == []


def test_what_a_country_asks_for_is_asked_for_where_the_field_says_so() -> None:
    value = {"street": "1 Main St", "country": "US"}
    assert list(FIELD_TYPES["address"]().check(value)) == []
    found: list[Invalid] = list(FIELD_TYPES["address"](complete=True).check(value))
    assert [str(fault) for fault in found] == [
        f"This country asks for a {part}." for part in ("city", "region", "postcode")
    ]
    assert list(FIELD_TYPES["address"](complete=True).check({"street": "1 Main St"})) == []
