"""Reading a package from a stranger: nothing is written, and nothing believed that is not proven."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import re
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from trellis.config.layer import layer_from_files
from trellis.config.versions import is_version
from trellis.model.kinds.parts import WORD
from trellis.packaging.contents import (
    MANIFEST,
    MAX_FILE,
    MAX_FILES,
    MAX_TOTAL,
    Unpackable,
    belongs,
    check_path,
    check_size,
    check_text,
)
from trellis.packaging.keys import LONGEST_NAME, PublicKey
from trellis.packaging.manifest import Manifest, NoTemplate, manifest
from trellis.packaging.package import FORMAT, INDEX, SIGNATURE, Package, signed_message

MAX_INDEX = 2_000_000


def read_package(file: Path) -> Package:
    """Read a package. Raises Unpackable, which says what is wrong with it."""
    if file.stat().st_size > MAX_TOTAL + MAX_FILES * 1_000:
        raise Unpackable(f"{file.name} is larger than a package may be ({MAX_TOTAL // 1_000_000} MB)")
    return package_of(file.read_bytes(), file.name)


def package_of(data: bytes, name: str = "the file") -> Package:
    """As read_package, of bytes."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _read(archive)
    except Unpackable as error:
        raise Unpackable(f"{name}: {error}") from None
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OverflowError, ValueError, OSError):
        hint = "`trellis template pack` makes one; was it copied to the end?"
        raise Unpackable(f"{name} is no package of a template", hint) from None


def _read(archive: zipfile.ZipFile) -> Package:
    entries = archive.infolist()
    check_size(len(entries), sum(entry.file_size for entry in entries))
    seen: set[str] = set()
    for entry in entries:
        _check_entry(entry)
        if entry.filename.casefold() in seen:  # also where only the case differs: some systems see one file
            raise Unpackable(f"'{entry.filename}' is in it twice")
        seen.add(entry.filename.casefold())
    names = [entry.filename for entry in entries]
    if INDEX not in names:
        raise Unpackable(f"it has no {INDEX}", "`trellis template pack` makes packages")
    index = archive.read(INDEX)
    said = _json(index, INDEX)
    if said.get("format") != FORMAT:
        raise Unpackable(f"it is of format {said.get('format')}, which this version does not know", "upgrade Trellis")
    files = {name: archive.read(name) for name in names if name not in (INDEX, SIGNATURE)}
    _check_sums(said.get("files"), files)
    for name, content in files.items():
        check_text(name, content)
    made = _manifest(files, said)
    signer = _signer(archive.read(SIGNATURE), index) if SIGNATURE in names else None
    return Package(made, files, index, str(said.get("made_with", "")), signer)


def _check_entry(entry: zipfile.ZipInfo) -> None:
    name = entry.filename
    check_path(name)
    mode = entry.external_attr >> 16
    if stat.S_ISLNK(mode) or (stat.S_IFMT(mode) and not stat.S_ISREG(mode)):
        raise Unpackable(f"'{name}' is a link or no plain file")
    if entry.flag_bits & 0x1:
        raise Unpackable(f"'{name}' is encrypted")
    if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size:
        raise Unpackable(f"'{name}' is compressed, which a package's files are not")
    if entry.file_size > (MAX_INDEX if name in (INDEX, SIGNATURE) else MAX_FILE):
        raise Unpackable(f"'{name}' is larger than {MAX_FILE // 1_000_000} MB")
    if name not in (INDEX, SIGNATURE) and not belongs(name):
        raise Unpackable(f"'{name}' is nothing that a template has")


def _check_sums(said: Any, files: Mapping[str, bytes]) -> None:
    if not isinstance(said, Mapping):
        raise Unpackable(f"{INDEX} names no files")
    for name in [*files, *said]:
        if name not in said:
            raise Unpackable(f"'{name}' was put into it: {INDEX} does not name it")
        if name not in files:
            raise Unpackable(f"'{name}' is missing")
        line = said[name]
        sum_ = line.get("sha256") if isinstance(line, Mapping) else None
        if hashlib.sha256(files[name]).hexdigest() != sum_:
            raise Unpackable(f"'{name}' was changed: it is not what its checksum says")


def _manifest(files: Mapping[str, bytes], said: Mapping[str, Any]) -> Manifest:
    """The manifest that stands in template.yaml, and that the index repeats."""
    if MANIFEST not in files:
        raise Unpackable(f"it has no {MANIFEST}")
    try:
        made = manifest(layer_from_files("package", {MANIFEST: files[MANIFEST]}, "package"))
    except NoTemplate as error:
        raise Unpackable(str(error)) from None
    if not re.fullmatch(WORD, made.name) or not is_version(made.version):  # they become a path
        raise Unpackable(f"'{made.name[:60]}' in version '{made.version[:60]}' is no template's name and version")
    if any(said.get(key) != value for key, value in made.as_json().items()):
        raise Unpackable(f"{INDEX} says something else of it than {MANIFEST}")
    return made


def _signer(data: bytes, index: bytes) -> PublicKey:
    body = _json(data, SIGNATURE)
    try:
        key = PublicKey(base64.b64decode(str(body["key"]), validate=True), str(body["name"]))
        signature = base64.b64decode(str(body["signature"]), validate=True)
    except (KeyError, binascii.Error, ValueError):
        raise Unpackable(f"{SIGNATURE} is no signature") from None
    plain = len(key.raw) == 32 and 0 < len(key.name) <= LONGEST_NAME and key.name.isprintable()
    if not plain or not key.has_signed(signed_message(key.name, index), signature):
        raise Unpackable("its signature does not fit: it was changed after it was signed, or signed by somebody else")
    return key


def _json(data: bytes, name: str) -> dict[str, Any]:
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise Unpackable(f"{name} cannot be read")
    return body
