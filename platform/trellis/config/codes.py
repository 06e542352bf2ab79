"""The codes of problems, in codes.txt: what each means, and what to do. `trellis check --explain` shows them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["CODES", "Code"]


@dataclass(frozen=True)
class Code:
    """A kind of problem: what is wrong, and what to do about it."""

    cause: str
    mend: str

    @property
    def advice(self) -> str:
        """What to do, as far as it stands by itself: without a problem's own message or hint beside it."""
        return "" if "the hint" in self.mend or "the message" in self.mend else self.mend


def _read() -> dict[str, Code]:
    text = (Path(__file__).parent / "codes.txt").read_text("utf-8")
    rows = (line.split(" | ") for line in text.splitlines())
    return {code: Code(cause, mend) for code, cause, mend in rows}


CODES: dict[str, Code] = _read()
