"""The language reference is what the code says, and says something about everything."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from trellis.config.codes import CODES
from trellis.formula.functions.registry import reference as functions
from trellis.formula.parser import parse
from trellis.model.kinds.told import sentences
from trellis.model.reference import COMMAND, pages

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "reference"
KEY = re.compile(r"^\| `([^`]+)` \| [^|]+ \| [^|]* \| ((?:[^|]|\\\|)*) \|")


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return pages()


def test_the_pages_are_what_the_code_says(made: dict[str, str]) -> None:
    told = f"run: {COMMAND}"
    assert {path.name for path in FOLDER.iterdir()} == set(made), told
    for name, text in made.items():
        assert (FOLDER / name).read_text("utf-8") == text, f"{name} is behind the code; {told}"


def test_every_key_says_what_it_is_for(made: dict[str, str]) -> None:
    silent = [
        f"{name}: {match[1]}"
        for name, text in made.items()
        if name not in ("README.md", "codes.md", "formulas.md")
        for match in map(KEY.match, text.splitlines())
        if match is not None and not match[2].strip()
    ]
    assert silent == [], "say it in model/kinds/told/, or as the key's description"
    assert all(told.doc == told.doc.strip() for told in sentences().values())


def test_every_code_that_is_used_is_explained_and_no_other() -> None:
    used = set()
    for path in sorted((ROOT / "platform" / "trellis").rglob("*.py")):
        if "node_modules" not in path.parts and "studio" not in path.parts:
            used |= set(re.findall(r'"([EW]\d{3})"', path.read_text("utf-8")))
    assert used == set(CODES), "config/codes.txt says what each code means"
    assert all(code.cause and code.mend for code in CODES.values())


def test_every_function_has_an_example_that_can_be_read() -> None:
    for function in functions():
        assert function.name in function.example, function.name
        parse(function.example)
