"""The commands in the documentation are ones that there are, with arguments that they take."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from trellis.cli import main

ROOT = Path(__file__).parent.parent.parent
LINE = re.compile(r"^    (?:\.venv/bin/)?trellis ([a-z][^#\n]*?)(?:  .*| *#.*)?$", re.MULTILINE)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = {
    f"{page.name}: {found[1].strip()}": found[1].strip()
    for page in PAGES
    for found in LINE.finditer(page.read_text("utf-8"))
    if "[" not in found[1] and "|" not in found[1]
}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_is_taken(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    words = shlex.split(COMMANDS[name])
    command: click.Command = main
    context = click.Context(main, info_name="trellis")
    while isinstance(command, click.Group):
        found = command.get_command(context, words[0])
        assert found is not None, words
        command, words = found, words[1:]
        context = click.Context(command, parent=context)
    paths = [parameter for parameter in command.params if isinstance(parameter.type, click.Path)]
    for parameter in paths:
        monkeypatch.setattr(parameter.type, "exists", False)  # the page's files are the reader's own
    command.parse_args(context, list(words))
