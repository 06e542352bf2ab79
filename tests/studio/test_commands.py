"""trellis plan, apply and tenant config beside what administrators publish in the browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from trellis.cli import main
from trellis.config.layer import Layer
from trellis.studio import planning

SLUG = "studio-cli"
OWN = "# ours\nentity: account\nlabel: Account\nfields:\n  name: {type: text}   # of the firm\n"


@pytest.fixture
def trellis(
    database: Any, tmp_path: Path, monkeypatch: Any, catalogue: Any
) -> Iterator[Callable[..., tuple[int, str]]]:
    """Run a command in a workspace of its own."""
    monkeypatch.setenv("DATABASE_URL", database.url.render_as_string(hide_password=False))
    monkeypatch.setenv("TRELLIS_ROOT", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "tenants" / SLUG / "schemas"
    folder.mkdir(parents=True)
    (folder.parent / "tenant.yaml").write_text(f"tenant: {SLUG}\nlabel: Ours\n")
    (folder / "own.yaml").write_text(OWN)

    def run(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, words, catch_exceptions=False)
        return result.exit_code, result.output

    yield run
    catalogue.drop(SLUG)


def test_what_was_published_in_the_browser_comes_back_into_the_folder(
    trellis: Any, catalogue: Any, tmp_path: Path
) -> None:
    assert trellis("tenant", "create", SLUG)[0] == 0
    live = catalogue.revision(SLUG, 1).layers
    files = {**live[-1].text(), "schemas/own.yaml": OWN + "  size: {type: integer}  # asked for by Kim\n"}
    planned = planning.plan_layers(catalogue, SLUG, [*live[:-1], Layer(live[-1].name, files, live[-1].folder)])
    planning.publish(catalogue, planned, "Kim", "Sizes", allow_destroy=False)
    code, said = trellis("plan", SLUG)
    assert "schemas/own.yaml (entity.account): takes back what Kim has published" in said
    code, said = trellis("apply", SLUG, "--yes", "--allow-destroy")
    assert (code, catalogue.entry(SLUG).revision) == (1, 2)
    assert "--over-studio" in said
    folder = tmp_path / "tenants" / SLUG
    assert trellis("tenant", "config", SLUG, "--to", str(folder), "--yes")[0] == 0
    assert (folder / "schemas/own.yaml").read_text() == files["schemas/own.yaml"]
    assert trellis("check", str(folder))[0] == 0
    assert "nothing changes" in trellis("plan", SLUG)[1]
    (folder / "schemas/own.yaml").write_text(OWN)
    assert trellis("apply", SLUG, "--yes", "--allow-destroy", "--over-studio")[0] == 0
    assert "size" not in catalogue.get(SLUG).model.entities["account"].fields
