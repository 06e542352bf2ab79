"""A layer as a ZIP, and files that somebody uploads: unpacked in memory, within limits, nothing but a layer's files."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from lzma import LZMAError

from trellis.config.layer import FOLDERS, MAX_FILES, MAX_LAYER_BYTES
from trellis.config.reader import MAX_BYTES
from trellis.studio.own import MANIFEST, BadPath, clean_path

FIRST = (1980, 1, 1, 0, 0, 0)  # the same content gives the same file
IGNORED = ("__MACOSX/", ".")
# everything that zipfile and its decompressors raise for bytes that are no ZIP, are cut off or encrypted
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    LZMAError,
    NotImplementedError,
    RuntimeError,
    OSError,
    ValueError,
    EOFError,
)


def pack(files: Mapping[str, str]) -> bytes:
    """The files as a ZIP."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(path, FIRST), text.encode("utf-8", "surrogatepass"))
    return packed.getvalue()


def unpack(uploads: Iterable[tuple[str, bytes]]) -> dict[str, str]:
    """The layer's files of what was uploaded: a ZIP, or YAML files one by one. Raises BadPath."""
    files: dict[str, str] = {}
    for name, content in uploads:
        if content[:2] == b"PK" or name.lower().endswith(".zip"):
            files |= _unzip(content)
        else:
            files[_place(name)] = _text(name, content)
    if not files:
        raise BadPath("There is no file of a configuration in it: tenant.yaml, schemas/, workflows/, i18n/ or tests/.")
    return files


def _unzip(content: bytes) -> dict[str, str]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        with archive:
            members = [m for m in archive.infolist() if not m.is_dir() and not _is_ignored(m.filename)]
            # what the ZIP says of itself is looked at first, what comes out of it is counted again
            if len(members) > MAX_FILES or sum(m.file_size for m in members) > MAX_LAYER_BYTES:
                raise BadPath("The configuration is too large: at most 2,000 files and 20 MB.")
            root = _root(m.filename for m in members)
            found: dict[str, str] = {}
            seen: set[str] = set()
            for member in members:
                inside = member.filename.replace("\\", "/").removeprefix(root)
                if inside != MANIFEST and inside.partition("/")[0] not in FOLDERS:
                    continue  # data/, a README: not what a configuration is made of
                with archive.open(member) as file:
                    text = file.read(MAX_BYTES + 1)
                if len(text) > MAX_BYTES:
                    raise BadPath("A file is too large: at most 1 MB.")
                path = clean_path(inside)
                if path.casefold() in seen:  # some systems see one file there
                    raise BadPath("A file is in the ZIP twice, or two differ only in small and capital letters.")
                seen.add(path.casefold())
                found[path] = _text(inside, text)
            return found
    except BadPath:
        raise
    except _BROKEN as error:
        raise BadPath("The file is no ZIP that can be read.") from error


def _is_ignored(name: str) -> bool:
    return any(part.startswith(IGNORED) for part in (name, *name.split("/")) if part not in ("..", "."))


def _root(names: Iterable[str]) -> str:
    """The folder within the ZIP that the layer lies in: "northstar/" when there is northstar/tenant.yaml."""
    for name in sorted((n.replace("\\", "/") for n in names), key=lambda n: n.count("/")):
        if name == MANIFEST or name.endswith("/" + MANIFEST):
            return name.removesuffix(MANIFEST)
    return ""


def _place(name: str) -> str:
    """Where a single file belongs: the manifest at the root, everything else among the schemas."""
    name = name.replace("\\", "/").rpartition("/")[2]
    return clean_path(name if name == MANIFEST else f"schemas/{name}")


def _text(name: str, content: bytes) -> str:
    if len(content) > MAX_BYTES:
        raise BadPath("A file is too large: at most 1 MB.")
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise BadPath("A file is not UTF-8 text: save it as UTF-8.") from error
