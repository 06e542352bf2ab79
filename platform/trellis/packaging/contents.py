"""Which files of a template's folder belong to it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from trellis.config.layer import FOLDERS

MANIFEST = "template.yaml"
TOPS = (*FOLDERS, "data")
PAPERS = re.compile(r"(README|LICENSE|LICENCE|NOTICE|CHANGELOG|COPYING)(\.[a-z-]+)*(\.(md|txt))?", re.IGNORECASE)
TEXTS = (".yaml", ".yml", ".csv", ".md", ".txt", ".html", ".jinja", ".j2", ".css", ".svg")
LAYER_SUFFIXES = (".yaml", ".yml")
MAX_FILES = 4_000
MAX_FILE = 10_000_000
MAX_TOTAL = 60_000_000
MAX_PATH = 200


class Unpackable(ValueError):
    """What is in a folder or a package cannot be one, and why; `hint` says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message} ({hint})" if hint else message)
        self.hint = hint


@dataclass(frozen=True)
class Contents:
    """The files of a template by path, and what lies in its folder but does not belong to it."""

    files: Mapping[str, bytes]
    left: tuple[str, ...] = ()


def contents(folder: Path) -> Contents:
    """What of a folder is packed. Raises Unpackable for links, what is too large, and texts that are not UTF-8."""
    files: dict[str, bytes] = {}
    left: list[str] = []
    total = 0
    for path in _walk(folder):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            raise Unpackable(f"{name} is a link; a package holds files", "copy what it points to")
        if path.is_dir():
            continue
        if not belongs(name):
            left.append(name)
            continue
        if path.stat().st_size > MAX_FILE:
            raise Unpackable(f"{name} is larger than {MAX_FILE // 1_000_000} MB")
        data = path.read_bytes()
        check_path(name)
        check_text(name, data)
        files[name] = data
        total += len(data)
        check_size(len(files), total)
    if MANIFEST not in files:
        raise Unpackable(f"{folder} is no template: it has no template.yaml")
    return Contents(files, tuple(left))


def _walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name == "__pycache__":
            continue
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from _walk(path)


def belongs(name: str) -> bool:
    """Whether a file is part of a template: its manifest, what layers are read from, its data, README and licence."""
    top, _, rest = name.partition("/")
    if not rest:
        return top == MANIFEST or PAPERS.fullmatch(top) is not None
    if top in ("schemas", "workflows", "i18n", "tests"):
        return name.endswith(LAYER_SUFFIXES)
    return top in TOPS


def check_size(files: int, total: int) -> None:
    """Refuse what is too much."""
    if files > MAX_FILES:
        raise Unpackable(f"more than {MAX_FILES} files")
    if total > MAX_TOTAL:
        raise Unpackable(f"more than {MAX_TOTAL // 1_000_000} MB")


_ODD = re.compile(r'[\x00-\x1f\x7f\\:*?"<>|]')
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def check_path(name: str) -> None:
    """Refuse a path that leads out of the folder, or that not every system can write."""
    parts = name.split("/")
    if not name or len(name) > MAX_PATH or _ODD.search(name):
        raise Unpackable(f"the path {name[:80]!r} cannot be a file's in a package")
    if name.startswith("/") or any(part in ("", ".", "..") for part in parts):
        raise Unpackable(f"the path {name[:80]!r} leads out of the template's folder")
    if any(part.endswith((" ", ".")) or _DEVICES.fullmatch(part) for part in parts):
        raise Unpackable(f"the path {name[:80]!r} cannot be a file's on every system")


def check_text(name: str, data: bytes) -> None:
    """Refuse a text that is not UTF-8."""
    if name.endswith(TEXTS) or "." not in name.rpartition("/")[2]:
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            raise Unpackable(f"{name} is not UTF-8", "save it as UTF-8") from None
