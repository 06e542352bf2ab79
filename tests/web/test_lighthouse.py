"""Lighthouse has nothing to say against the main pages: accessibility, good practice, a silent console."""

from __future__ import annotations

import json
import os
import runpy
import shutil
import subprocess
from pathlib import Path

import pytest

import trellis.web

FOLDER = Path(__file__).parents[1] / "lighthouse"
PAGES = ("e/deal/?view=open", "dashboards/desk")


def lighthouse(pages: list[tuple[str, str]]) -> list[str]:
    """What it says against pages, each asked for with its cookies; a line each, none but what counts for its score."""
    if not (FOLDER / "node_modules").is_dir():
        pytest.fail("Lighthouse is not there: `make test` installs it")
    chrome = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    asked = json.dumps({"chrome": chrome, "pages": pages})
    node = runpy.run_path(str(Path(trellis.web.__file__).parent / "assets" / "build.py"))["node_folder"]() / "node"
    ran = subprocess.run(
        [str(node), "audit.mjs"],
        cwd=FOLDER, input=asked, capture_output=True, text=True, timeout=300, check=False,
        env={**os.environ, "NODE_NO_WARNINGS": "1"},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-2000:]
    return ran.stdout.splitlines()


def test_the_main_pages_are_as_they_should_be(live: str, signed_in_state: Path) -> None:
    kept = json.loads(signed_in_state.read_text())["cookies"]
    cookie = "; ".join(f"{one['name']}={one['value']}" for one in kept)
    pages = [(live + "login", ""), *((live + path, cookie) for path in PAGES)]
    assert lighthouse(pages) == []
