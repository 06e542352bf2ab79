"""Files that go along with a letter: named when it is written, read when it is handed over."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from trellis.automation.jobs import GiveUp
from trellis.automation.mail.letter import Attached, Letter
from trellis.records.writing.files import content_path

if TYPE_CHECKING:
    from trellis.storage.tenant import Tenant

MOST = 10
LARGEST = 20_000_000  # bytes of all together: more is refused by most servers


def files_in(value: Any) -> Iterator[tuple[str, str]]:
    """Id and name of every file that a value names: what a file field holds, what a step has made, lists of such."""
    if isinstance(value, Mapping):
        if "id" in value and "name" in value:
            yield str(value["id"]), str(value["name"])
        return
    if isinstance(value, (list, tuple)):
        for each in value:
            yield from files_in(each)


def attached_to(tenant: Tenant, letter: Letter) -> list[Attached]:
    """The files of a letter with their content. Raises GiveUp where one is gone, or they are too large."""
    root, size = tenant.database.files, 0
    found = [Attached(name, type_, b64decode(content)) for name, type_, content in letter.files]
    for id, name in letter.attachments:
        table = tenant.tables.platform.file
        with tenant.begin() as connection:
            row = connection.execute(sa.select(table).where(table.c.id == UUID(id))).first()
        path = content_path(root, tenant.slug, row.hash) if row is not None and root is not None else None
        if row is None or path is None or not path.is_file():
            raise GiveUp(f"the attachment {name} is not there any more")
        size += row.size
        if size > LARGEST:
            raise GiveUp(f"the attachments are larger than {LARGEST // 1_000_000} MB")
        found.append(Attached(name, row.type, path.read_bytes()))
    return found
