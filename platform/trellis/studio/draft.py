"""What an administrator is changing: files of the tenant's own layer, kept in the database until they are published.

Everybody has a draft of their own, so nobody publishes what a colleague has half done. A row keeps the file as it was
live when the change was begun (`base`): when a colleague has published another text of the same file meanwhile, the
row is stale, and studio/merging.py brings the two together. `version` keeps two windows of one person apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from trellis.studio.own import MANIFEST, BadPath, changed_paths, check_size, order_of, own_layer, texts_of, with_files

if TYPE_CHECKING:
    from datetime import datetime

    from trellis.config.layer import Layer
    from trellis.storage.catalogue import Catalogue, Revision
    from trellis.storage.tenant import Tenant


@dataclass(frozen=True)
class Change:
    """One file that somebody is changing; `text` None: it is to go, `base` None: it was not there."""

    path: str
    text: str | None
    base: str | None
    revision: int
    version: int
    at: datetime


class Outdated(Exception):
    """The file was saved by another window meanwhile; `change` is what is kept now (None: nothing is)."""

    def __init__(self, change: Change | None) -> None:
        super().__init__("saved by another window")
        self.change = change


@dataclass(frozen=True)
class Draft:
    """A person's changes on top of what is live."""

    slug: str
    live: Revision
    changes: Mapping[str, Change]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is being changed."""
        return not self.changes

    @cached_property
    def live_files(self) -> dict[str, str]:
        """The tenant's own files as they are live."""
        return texts_of(own_layer(self.live.layers, self.slug))

    @cached_property
    def files(self) -> dict[str, str]:
        """The tenant's own files as they will be."""
        files = dict(self.live_files)
        for path, change in self.changes.items():
            if change.text is None:
                files.pop(path, None)
            else:
                files[path] = change.text
        return dict(sorted(files.items(), key=lambda item: order_of(item[0])))

    @cached_property
    def layers(self) -> list[Layer]:
        """The whole configuration as it will be."""
        return with_files(self.live.layers, self.slug, self.files)

    @cached_property
    def stale(self) -> list[Change]:
        """Changes of files that somebody else has published another text of since they were begun."""
        return [c for c in self.changes.values() if self.live_files.get(c.path) not in (c.base, c.text)]

    @property
    def behind(self) -> bool:
        """Whether a later revision was published since the oldest of the changes was begun."""
        return any(c.revision < self.live.number for c in self.changes.values())

    def with_file(self, path: str, text: str | None) -> Draft:
        """The draft with one more change; nothing is kept."""
        known = self.changes.get(path)
        base = known.base if known else self.live_files.get(path)
        at = known.at if known else self.live.at
        change = Change(path, text, base, self.live.number, known.version if known else 0, at)
        return replace(self, changes={**self.changes, path: change})


def live_revision(catalogue: Catalogue, slug: str) -> Revision:
    """The revision that is live now, which may be a later one than the app at hand serves."""
    return catalogue.revision(slug, catalogue.entry(slug).revision)


def read_draft(catalogue: Catalogue, tenant: Tenant, person: UUID) -> Draft:
    """A person's draft."""
    table = tenant.tables.platform.draft
    with tenant.begin() as connection:
        rows = connection.execute(sa.select(table).where(table.c.person == person).order_by(table.c.path)).all()
    changes = {r.path: Change(r.path, r.text, r.base, r.revision, r.version, r.at) for r in rows}
    return Draft(tenant.slug, live_revision(catalogue, tenant.slug), changes)


def save(
    tenant: Tenant,
    draft: Draft,
    person: UUID,
    path: str,
    text: str | None,
    *,
    version: int,
    revision: int | None = None,
) -> Draft:
    """Keep one file. `version` is that of the change in hand, 0 for none; `base` is taken at the first change.

    `revision` is the one that the text in hand was read from. Raises Outdated and BadPath.
    """
    known = draft.changes.get(path)
    if (known.version if known else 0) != version:
        raise Outdated(known)
    if text is None and path == MANIFEST:
        raise BadPath("tenant.yaml is what makes this a company: it cannot be deleted.")
    base = known.base if known else draft.live_files.get(path)
    if text == base and (known is not None or base is not None) and draft.live_files.get(path) == base:
        discard(tenant, person, path)
        return replace(draft, changes={k: v for k, v in draft.changes.items() if k != path})
    check_size(draft.with_file(path, text).files)
    table = tenant.tables.platform.draft
    at_revision = known.revision if known else draft.live.number
    values = {"text": text, "version": version + 1, "at": sa.func.now()}
    with tenant.begin() as connection:
        if known is None:
            row = {"person": person, "path": path, "base": base, "revision": at_revision, **values}
            statement = insert(table).values(row).on_conflict_do_nothing()
            done = connection.execute(statement.returning(table.c.at)).one_or_none()
        else:
            found = (table.c.person == person) & (table.c.path == path) & (table.c.version == version)
            change_row = sa.update(table).where(found).values(**values)
            done = connection.execute(change_row.returning(table.c.at)).one_or_none()
        if done is None:
            raise Outdated(_kept(connection, table, person, path))
    change = Change(path, text, base, at_revision, version + 1, done.at)
    return replace(draft, changes=dict(sorted({**draft.changes, path: change}.items())))


def _kept(connection: sa.Connection, table: sa.Table, person: UUID, path: str) -> Change | None:
    """What is kept of a file at this moment."""
    query = sa.select(table).where(table.c.person == person, table.c.path == path)
    row = connection.execute(query).one_or_none()
    return None if row is None else Change(row.path, row.text, row.base, row.revision, row.version, row.at)


def save_all(tenant: Tenant, draft: Draft, person: UUID, files: Mapping[str, str | None]) -> Draft:
    """Keep several files at once, each upon what the draft says of it now."""
    for path in files:
        known = draft.changes.get(path)
        draft = save(tenant, draft, person, path, files[path], version=known.version if known else 0)
    return draft


def rebase(tenant: Tenant, person: UUID, change: Change, text: str | None, base: str | None, revision: int) -> None:
    """Put a merged text in place of a stale one. Raises Outdated."""
    table = tenant.tables.platform.draft
    found = (table.c.person == person) & (table.c.path == change.path) & (table.c.version == change.version)
    with tenant.begin() as connection:
        if text == base:
            done = connection.execute(sa.delete(table).where(found)).rowcount
        else:
            new = {"text": text, "base": base, "revision": revision, "version": change.version + 1, "at": sa.func.now()}
            done = connection.execute(sa.update(table).where(found).values(**new)).rowcount
    if not done:
        raise Outdated(None)


def discard(tenant: Tenant, person: UUID, path: str | None = None) -> None:
    """Throw away one change, or all of them."""
    table = tenant.tables.platform.draft
    wanted = table.c.person == person
    with tenant.begin() as connection:
        connection.execute(sa.delete(table).where(wanted if path is None else wanted & (table.c.path == path)))


def others(tenant: Tenant, person: UUID) -> Sequence[tuple[UUID, int, datetime]]:
    """Who else has a draft: person, files, latest change."""
    table = tenant.tables.platform.draft
    query = (
        sa.select(table.c.person, sa.func.count(), sa.func.max(table.c.at))
        .where(table.c.person != person)
        .group_by(table.c.person)
    )
    with tenant.begin() as connection:
        return [(row[0], row[1], row[2]) for row in connection.execute(query)]


def replacing(draft: Draft, files: Mapping[str, str]) -> dict[str, str | None]:
    """What turns the draft into exactly these files."""
    return {path: files.get(path) for path in changed_paths(draft.files, files)}
