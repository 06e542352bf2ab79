"""A template as one file: the same content gives the same bytes, and every byte is held by a checksum.

It is a ZIP of its files as they are, in the order of their names, with no times in it and nothing compressed (what
compressing makes of the same bytes is not the same everywhere). `package.json` stands first: the manifest and the
SHA-256 of every file; `package.sig` beside it if somebody has signed it.
"""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from trellis import __version__
from trellis.config.layer import Layer, layer_from_files, read_documents
from trellis.packaging.contents import TOPS
from trellis.packaging.keys import PublicKey, SigningKey
from trellis.packaging.manifest import Manifest

INDEX, SIGNATURE = "package.json", "package.sig"
FORMAT = 1
SUFFIX = ".template.zip"
SALT = b"trellis template package 1\n"
EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Package:
    """A package that was read and found whole: its files, its manifest, and who has signed it."""

    manifest: Manifest
    files: Mapping[str, bytes]
    index: bytes
    made_with: str
    signer: PublicKey | None = None

    @property
    def digest(self) -> str:
        """What tells it from another: the hash of all its files' hashes."""
        return hashlib.sha256(self.index).hexdigest()

    @property
    def layer(self) -> Layer:
        """The template's layer, in memory."""
        return layer_of(self.manifest, self.files)

    def documents(self) -> dict[str, list[str]]:
        """What is in it: the keys of its documents by kind."""
        found: dict[str, list[str]] = {}
        for document in read_documents(self.layer).documents:
            found.setdefault(document.kind, []).append(document.key)
        return found

    def scenarios(self) -> list[str]:
        """The keys of its scenarios."""
        return [document.key for document in read_documents(self.layer).tests]


def layer_of(manifest: Manifest, files: Mapping[str, bytes]) -> Layer:
    """The layer that a template's files are."""
    read = {p: d for p, d in files.items() if p == "template.yaml" or p.partition("/")[0] in TOPS[:-1]}
    return layer_from_files(f"templates/{manifest.name}", read, f"templates/{manifest.title.replace(' ', '@')}")


def file_name(manifest: Manifest) -> str:
    """What a package is called: veterinary-1.0.0.template.zip"""
    return f"{manifest.name}-{manifest.version}{SUFFIX}"


def build(manifest: Manifest, files: Mapping[str, bytes], key: SigningKey | None = None) -> bytes:
    """The bytes of a package."""
    index = index_of(manifest, files)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        _add(archive, INDEX, index)
        if key is not None:
            _add(archive, SIGNATURE, _signature(key, index))
        for name in sorted(files):
            _add(archive, name, files[name])
    return out.getvalue()


def index_of(manifest: Manifest, files: Mapping[str, bytes]) -> bytes:
    """What package.json says."""
    body: dict[str, Any] = {
        "format": FORMAT,
        **manifest.as_json(),
        "made_with": __version__,
        "files": {
            name: {"size": len(files[name]), "sha256": hashlib.sha256(files[name]).hexdigest()}
            for name in sorted(files)
        },
    }
    return orjson.dumps(body, option=orjson.OPT_INDENT_2) + b"\n"


def signed_message(name: str, index: bytes) -> bytes:
    """What a signature is of: the signer's name, and the index with the checksums of everything."""
    return SALT + name.encode() + b"\n" + index


def _signature(key: SigningKey, index: bytes) -> bytes:
    public = key.public
    body = {
        "algorithm": "ed25519",
        "name": public.name,
        "key": base64.b64encode(public.raw).decode(),
        "signature": base64.b64encode(key.sign(signed_message(public.name, index))).decode(),
    }
    return orjson.dumps(body, option=orjson.OPT_INDENT_2) + b"\n"


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.create_system = 3  # the same on every system
    entry.external_attr = 0o100644 << 16
    archive.writestr(entry, data)


def unpack(package: Package, folder: Path) -> None:
    """Write a package's files, its index and its signature into a folder that is there and empty."""
    for name, data in package.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
