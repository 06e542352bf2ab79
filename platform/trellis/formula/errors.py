"""What is wrong with a formula, and where in its text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FormulaFault:
    """One fault; `offset` and `length` count characters of the source text.

    Codes: E401 does not parse, E402 unknown name, E403 unknown function, E404 wrong number of arguments,
    E405 wrong type, E406 not of the expected type, E407 beyond a limit. W6xx is advice, which stops nothing:
    W608 a value that the field never has, W609 a role that there is not.
    """

    code: str
    message: str
    offset: int = 0
    length: int = 1
    hint: str = ""


class FormulaError(Exception):
    """A formula that does not parse, or whose types do not fit; `faults` holds all of them in text order."""

    def __init__(self, faults: list[FormulaFault], source: str = "") -> None:
        super().__init__("; ".join(f.message for f in faults))
        self.faults = faults
        self.source = source


class Failed(Exception):
    """Ends the check of one part, whose fault is noted."""
