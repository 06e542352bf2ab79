"""Check digits by their standards."""

from __future__ import annotations

_GB_32100 = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # without I, O, S, V, Z
_GB_32100_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_GB_11714_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_GB_11643_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def mod_97(text: str) -> int:
    """ISO 7064 mod 97-10 of letters and digits, letters as 10 to 35."""
    return int("".join(str(int(c, 36)) for c in text)) % 97


def luhn(digits: str) -> bool:
    """The Luhn check of ISO/IEC 7812 (cards, IMEI)."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (1 + position % 2)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def gs1_digit(digits: str) -> str:
    """The GS1 check digit that follows the digits (EAN, UPC, GTIN, GLN)."""
    total = sum(int(d) * (3 if i % 2 == 0 else 1) for i, d in enumerate(reversed(digits)))
    return str(-total % 10)


def isbn_10(text: str) -> bool:
    """The check of an ISBN of ten places, the last of which may be X."""
    values = [10 if c == "X" else int(c) for c in text]
    return sum((10 - i) * v for i, v in enumerate(values)) % 11 == 0


def credit_code_cn(code: str) -> bool:
    """GB 32100-2015: the check digit of a unified social credit code."""
    if any(c not in _GB_32100 for c in code):
        return False
    total = sum(_GB_32100.index(c) * w for c, w in zip(code, _GB_32100_WEIGHTS, strict=False))
    return _GB_32100[-total % 31] == code[17]


def organisation_code_cn(code: str) -> bool:
    """GB 11714-1997: the check digit of an organisation code of nine places."""
    total = sum(int(c, 36) * w for c, w in zip(code, _GB_11714_WEIGHTS, strict=False))
    return "0123456789X"[-total % 11] == code[8]


def identity_cn(number: str) -> bool:
    """GB 11643-1999: the check digit of a Chinese citizen's identity number."""
    total = sum(int(c) * w for c, w in zip(number, _GB_11643_WEIGHTS, strict=False))
    return "10X98765432"[total % 11] == number[17]


def mod_11_10(digits: str) -> bool:
    """ISO 7064 mod 11,10 over all digits, the check digit last (German VAT and tax numbers)."""
    product = 10
    for digit in digits[:-1]:
        total = (int(digit) + product) % 10 or 10
        product = 2 * total % 11
    return (11 - product) % 10 == int(digits[-1])
