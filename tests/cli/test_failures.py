"""What a person is told when a command cannot go on: never a traceback, never a password."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from trellis.cli import main
from trellis.cli.serve import require_free


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://x:geheim@127.0.0.1:1/none", "cannot be reached"),
        ("mysql://x:geheim@127.0.0.1/none", "Trellis runs on PostgreSQL"),
        (":::geheim", "no address of a database"),
    ],
)
@pytest.mark.parametrize("words", [("tenant", "list"), ("plan", "nobody"), ("user", "list", "-t", "x"), ("doctor",)])
def test_an_unusable_database(url: str, said: str, words: tuple[str, ...], tmp_path: Path) -> None:
    environment = {"DATABASE_URL": url, "TRELLIS_VAR": str(tmp_path), "TRELLIS_ROOT": str(tmp_path)}
    done = CliRunner().invoke(main, words, env=environment)
    assert done.exit_code == 1
    assert said in done.output
    assert "geheim" not in done.output
    assert "Traceback" not in done.output


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file where a folder should be")
    environment = {"TRELLIS_VAR": str(tmp_path / "var"), "TRELLIS_ROOT": str(tmp_path), "DATABASE_URL": ""}
    for words in (("tenant", "list"), ("user", "list", "-t", "x")):
        done = CliRunner().invoke(main, words, env=environment)
        assert done.exit_code == 1
        assert str(tmp_path / "var") in done.output
        assert "Traceback" not in done.output


def test_what_nobody_foresaw_is_told_in_a_sentence(monkeypatch: Any) -> None:
    from trellis.cli import installation

    def fail(*_: Any) -> None:
        raise RuntimeError("a wire is loose")

    monkeypatch.setattr(installation.Settings, "from_environment", fail)
    done = CliRunner().invoke(main, ["tenant", "list"])
    assert done.exit_code == 1
    assert "a wire is loose" in done.output
    assert "trellis doctor" in done.output
    done = CliRunner().invoke(main, ["tenant", "list"], env={"TRELLIS_DEBUG": "1"})
    assert isinstance(done.exception, RuntimeError)


def test_a_port_that_is_taken_is_told_at_once() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(click.ClickException, match=f"cannot listen on 127.0.0.1:{port}: .* Try --port {port + 1}"):
            require_free("127.0.0.1", port)
    require_free("127.0.0.1", port)
