"""The example of docs/assistants.md does what it says, with the official SDK over real HTTP."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.api.assistants.test_client import address as address  # the fixture: a server of its own
from tests.api.conftest import Office

from trellis.api.assistants.tools import MODULES, TOOLS, _load

PAGE = Path(__file__).parents[3] / "docs" / "assistants.md"


def test_the_example_runs(office: Office, address: str, capsys: pytest.CaptureFixture[str]) -> None:
    [code] = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    example = compile(code.replace("$URL", address).replace("$KEY", office.key()), str(PAGE), "exec")
    # in a thread of its own: a browser of another test may have a loop in this one
    with ThreadPoolExecutor(1) as apart:
        apart.submit(exec, example, {}).result()
    assert "create_record" in capsys.readouterr().out


def test_the_table_names_every_tool() -> None:
    _load()
    assert MODULES
    told = set(re.findall(r"`(\w+)`", PAGE.read_text("utf-8").partition("| tool |")[2].partition("\n\n")[0]))
    assert told == set(TOOLS)
