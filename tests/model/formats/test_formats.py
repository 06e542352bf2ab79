"""Named formats take what their standards take."""

from __future__ import annotations

import pytest

from trellis.model.formats import FORMATS, check_format

GOOD = [
    ("iban", "de89 3704 0044 0532 0130 00", "DE89370400440532013000"),
    ("iban", "GB82WEST12345698765432", None),
    ("iban", "NO9386011117947", None),
    ("bic", "deutdeff", "DEUTDEFF"),
    ("vat_id", "DE 136 695 976", "DE136695976"),
    ("vat_id", "BE0428759497", None),
    ("vat_id", "PL8567346215", None),
    ("vat_id", "ATU13585627", None),
    ("vat_id", "FR40 303 265 045", "FR40303265045"),
    ("vat_id", "EL094259216", None),
    ("vat_id", "XI980780684", None),
    ("vat_id", "GB980780684", None),
    ("vat_id", "CHE-107.787.577 MWST", "CHE107787577MWST"),
    ("vat_id", "CHE-107.787.577", "CHE107787577"),
    ("vat_id", "NO 995 525 828 MVA", "NO995525828MVA"),
    ("vat_id", "NO995525828", None),
    ("iban", "FR14 2004 1010 0505 0001 3M02 606", "FR1420041010050500013M02606"),
    ("iban", "CH93 0076 2011 6238 5295 7", "CH9300762011623852957"),
    ("vat_id", "IT 00743110157", "IT00743110157"),
    ("vat_id", "LU15027442", None),
    ("credit_code_cn", "91350100M000100Y43", None),
    ("credit_code_cn", "9144030071526726XG", None),  # Tencent
    ("credit_code_cn", "91330100799655058b", "91330100799655058B"),  # Alibaba (China)
    ("credit_code_cn", "914403001922038216", None),  # Huawei
    ("organisation_code_cn", "D2143569-X", "D2143569X"),
    ("id_card_cn", "11010519491231002x", "11010519491231002X"),
    ("tax_id_de", "36574261809", None),
    ("domain", "https://Example.com/x", "example.com"),
    ("domain", "münchen.de", "xn--mnchen-3ya.de"),
    ("email_domain", "Anna <anna@Example.com>", "example.com"),
    ("email_domain", "@example.com", "example.com"),
    ("ipv4", "10.0.0.255", None),
    ("slug", "My-shop", "my-shop"),
    ("card_number", "4111 1111 1111 1111", "4111111111111111"),
    ("imei", "490154203237518", None),
    ("gtin", "4006381333931", None),
    ("isbn", "0-306-40615-2", "0306406152"),
    ("isbn", "978-3-16-148410-0", "9783161484100"),
    ("vin", "1HGCM82633A004352", None),
    ("lei", "529900T8BM49AURSDO55", None),
    ("uuid", "0190A6B4-0000-7000-8000-000000000000", "0190a6b4-0000-7000-8000-000000000000"),
    ("hex", "C0FFEE", "c0ffee"),
]
BAD = [
    ("iban", "DE89370400440532013001"),
    ("iban", "DE8937040044053201300"),
    ("bic", "DEUT"),
    ("vat_id", "DE136695977"),
    ("vat_id", "XX123456789"),
    ("vat_id", "ATU99999999"),
    ("vat_id", "FR41303265045"),
    ("vat_id", "GB980780685"),
    ("vat_id", "CHE107787578"),
    ("vat_id", "NO995525829"),
    ("email_domain", "anna@localhost"),
    ("vat_id", "IT00743110158"),
    ("vat_id", "LU15027443"),
    ("credit_code_cn", "91350100M000100Y44"),
    ("credit_code_cn", "9144030071526726XH"),
    ("credit_code_cn", "91350100I000100Y43"),
    ("organisation_code_cn", "D21435691"),
    ("id_card_cn", "110105194912310021"),
    ("domain", "localhost"),
    ("domain", "-a.com"),
    ("ipv4", "10.0.0.256"),
    ("slug", "a--b"),
    ("card_number", "4111111111111112"),
    ("gtin", "4006381333932"),
    ("isbn", "0306406153"),
    ("vin", "1HGCM82633A00435O"),
    ("lei", "529900T8BM49AURSDO56"),
]


@pytest.mark.parametrize(("name", "text", "tidied"), GOOD)
def test_what_is_right_is_taken_and_tidied(name: str, text: str, tidied: str | None) -> None:
    assert check_format(name, text) == (tidied or text, None)


@pytest.mark.parametrize(("name", "text"), BAD)
def test_what_is_wrong_is_refused(name: str, text: str) -> None:
    _tidied, fault = check_format(name, text)
    assert fault is not None
    assert fault.code == "format"


def test_every_format_has_an_example() -> None:
    assert {name for name, _, _ in GOOD} == set(FORMATS)
