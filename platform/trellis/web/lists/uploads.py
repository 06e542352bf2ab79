"""Files that a person is about to import: kept on the server between the steps, for that person only."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from secrets import token_hex
from typing import Any

from trellis.records.transfer import read_table
from trellis.records.transfer.reading import Table
from trellis.web.context import current_principal, current_tenant, serving

LARGEST = 10 * 1000 * 1000  # bytes
MOST_ROWS = 50_000
KEPT = 24 * 3600  # seconds
TOKEN = re.compile(r"[0-9a-f]{32}\Z")


@dataclass(frozen=True)
class Upload:
    """A kept file: its table, what was chosen, what came of it."""

    token: str
    folder: Path

    @property
    def outcome(self) -> Path:
        """Where each row's outcome is written."""
        return self.folder / "outcome.csv"

    @cached_property
    def about(self) -> dict[str, Any]:
        """The file's name, its entity, and the last result."""
        found: dict[str, Any] = json.loads((self.folder / "about.json").read_text("utf-8"))
        return found

    @cached_property
    def table(self) -> Table:
        """The file as a table. Raises Unreadable."""
        return read_table((self.folder / "data").read_bytes())

    def note(self, more: Mapping[str, Any]) -> None:
        """Keep more about the file."""
        self.about.update(more)
        (self.folder / "about.json").write_text(json.dumps(self.about, ensure_ascii=False), "utf-8")

    def finish(self) -> None:
        """Forget what was in the file; what came of it stays."""
        (self.folder / "data").unlink(missing_ok=True)


def keep_upload(data: bytes, name: str, entity: str) -> Upload:
    """Keep a file; those that the person left lying are thrown away."""
    home = _home()
    home.mkdir(parents=True, exist_ok=True)
    for old in home.iterdir():
        if old.stat().st_mtime < time.time() - KEPT:
            shutil.rmtree(old, ignore_errors=True)
    folder = home / token_hex(16)
    folder.mkdir(mode=0o700)
    (folder / "data").write_bytes(data)
    about = {"name": re.split(r"[/\\]", name)[-1].strip()[:120] or "file.csv", "entity": entity}
    (folder / "about.json").write_text(json.dumps(about, ensure_ascii=False), "utf-8")
    return Upload(folder.name, folder)


def find_upload(token: str, entity: str) -> Upload | None:
    """One of the person's own files for an entity."""
    folder = _home() / token
    if not TOKEN.match(token) or not (folder / "about.json").is_file():
        return None
    found = Upload(token, folder)
    return found if found.about.get("entity") == entity else None


def _home() -> Path:
    return serving().settings.var / "imports" / current_tenant().slug / str(current_principal().id)
