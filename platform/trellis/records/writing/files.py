"""Files: stored by their content outside the database, described by a row of the platform's file table."""

from __future__ import annotations

import hashlib
import mimetypes
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from trellis.model.fields.files import FileField
from trellis.records.refusal import Fault, Forbidden, Refused
from trellis.records.writing.content import HEAD, is_what_it_says

if TYPE_CHECKING:
    from trellis.model.field import Field
    from trellis.records.store import Store

CHUNK = 1 << 20
LARGEST = 25 * 1000 * 1000


@dataclass(frozen=True, slots=True)
class Stored:
    """A file as the database describes it, and where its content lies."""

    id: UUID
    name: str
    size: int
    type: str
    path: Path

    def as_value(self) -> dict[str, Any]:
        """For a file field."""
        return {"id": str(self.id), "name": self.name, "size": self.size, "type": self.type}


def content_path(root: Path, tenant: str, digest: str) -> Path:
    """Where a content lies: tenants do not share files, so that dropping one takes its files along."""
    return root / tenant / digest[:2] / digest


def save_file(store: Store, root: Path, source: IO[bytes], name: str, entity: str, field: Field) -> Stored:
    """Keep a file that a field is to hold, for whoever may write it.

    Raises Forbidden, and Refused when the file is too large or of a kind that the field does not take.
    """
    if not store.principal.is_system:
        if field.key not in store.writable_fields(entity):
            raise Forbidden(entity, "update")
        if not (store.may("create", entity) or store.may("update", entity)):
            raise Forbidden(entity, "update")
    name = os.path.basename(name.replace("\\", "/")).strip()[:200] or "file"
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    type_ = field.type
    if not isinstance(type_, FileField):
        raise Refused([Fault("invalid", "This field holds no files.", field.key)])
    if not type_.accepts(name, kind):
        raise Refused([Fault("type", "“{name}” is not a kind of file that is taken here.", field.key, {"name": name})])
    limit = type_.max_size or LARGEST
    digest, size, temporary = _receive(root, source, limit, field, name)
    with open(temporary, "rb") as kept:
        head = kept.read(HEAD)
    if not is_what_it_says(os.path.splitext(name)[1].lower(), kind, head):
        os.unlink(temporary)
        message = "“{name}” is not what its name says: its content is of another kind."
        raise Refused([Fault("content", message, field.key, {"name": name})])
    target = content_path(root, store.tenant.slug, digest)
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(temporary, target)
    id = uuid7()
    row = {"id": id, "hash": digest, "name": name, "size": size, "type": kind, "entity": entity, "field": field.key}
    with store.transaction() as connection:
        connection.execute(sa.insert(store.tenant.tables.platform.file).values(**row, created_by=store.principal.id))
    return Stored(id, name, size, kind, target)


def find_file(store: Store, root: Path, id: UUID) -> Stored | None:
    """A file by its id; whether the person may have it is for the record that holds it to say."""
    table = store.tenant.tables.platform.file
    with store.transaction() as connection:
        row = connection.execute(sa.select(table).where(table.c.id == id)).mappings().first()
    if row is None:
        return None
    return Stored(row["id"], row["name"], row["size"], row["type"], content_path(root, store.tenant.slug, row["hash"]))


def holds(value: Any, id: UUID) -> bool:
    """Whether a file field's value names the file."""
    files = [value] if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()
    return any(isinstance(file, Mapping) and str(file.get("id")) == str(id) for file in files)


def _receive(root: Path, source: IO[bytes], limit: int, field: Field, name: str) -> tuple[str, int, str]:
    root.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    handle, temporary = tempfile.mkstemp(dir=root, prefix="upload-")
    try:
        with os.fdopen(handle, "wb") as target:
            while chunk := source.read(CHUNK):
                size += len(chunk)
                if size > limit:
                    raise Refused(
                        [
                            Fault(
                                "size",
                                "“{name}” is larger than {limit} MB.",
                                field.key,
                                {"name": name, "limit": round(limit / 1e6)},
                            )
                        ]
                    )
                digest.update(chunk)
                target.write(chunk)
    except BaseException:
        os.unlink(temporary)
        raise
    return digest.hexdigest(), size, temporary
