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


def save(tenant: Tenant, draft: Draft, person: UUID, path: str, text: str | None, *, version: int) -> Draft:
    """Keep one file. `version` is that of the change in hand, 0 for none. Raises Outdated and BadPath."""
    known = draft.changes.get(path)
    if (known.version if known else 0) != version:
        raise Outdated(known)
    return save_all(tenant, draft, person, {path: text})


def save_all(tenant: Tenant, draft: Draft, person: UUID, files: Mapping[str, str | None]) -> Draft:
    """Keep files, all or none, each upon what the draft says of it now; `base` is taken at the first change.

    Raises Outdated and BadPath.
    """
    if MANIFEST in files and files[MANIFEST] is None:
        raise BadPath("tenant.yaml is what makes this a company: it cannot be deleted.")
    check_size({p: t for p, t in {**draft.files, **files}.items() if t is not None})
    changes = dict(draft.changes)
    with tenant.begin() as connection:
        for path, text in files.items():
            change = _keep(connection, tenant.tables.platform.draft, draft, person, path, text)
            changes.pop(path, None)
            if change is not None:
                changes[path] = change
    return replace(draft, changes=dict(sorted(changes.items())))


def _keep(
    connection: sa.Connection, table: sa.Table, draft: Draft, person: UUID, path: str, text: str | None
) -> Change | None:
    """Keep one file; None if it is as it is live then."""
    known, live = draft.changes.get(path), draft.live_files.get(path)
    base = known.base if known else live
    version, revision = (known.version, known.revision) if known else (0, draft.live.number)
    found = (table.c.person == person) & (table.c.path == path) & (table.c.version == version)
    values = {"text": text, "version": version + 1, "at": sa.func.now()}
    statement: sa.Insert | sa.Update | sa.Delete
    if text == base == live:
        if known is None:
            return None
        statement = sa.delete(table).where(found)
    elif known is None:
        row = {"person": person, "path": path, "base": base, "revision": revision, **values}
        statement = insert(table).values(row).on_conflict_do_nothing()
    else:
        statement = sa.update(table).where(found).values(**values)
    done = connection.execute(statement.returning(table.c.at)).one_or_none()
    if done is None:
        raise Outdated(_kept(connection, table, person, path))
    return None if isinstance(statement, sa.Delete) else Change(path, text, base, revision, version + 1, done.at)


def _kept(connection: sa.Connection, table: sa.Table, person: UUID, path: str) -> Change | None:
    """What is kept of a file at this moment."""
    query = sa.select(table).where(table.c.person == person, table.c.path == path)
    row = connection.execute(query).one_or_none()
    return None if row is None else Change(row.path, row.text, row.base, row.revision, row.version, row.at)


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


def close(tenant: Tenant, draft: Draft, person: UUID) -> None:
    """Throw away what was published; what another window has kept since then stays."""
    table = tenant.tables.platform.draft
    done = sa.tuple_(table.c.path, table.c.version).in_([(c.path, c.version) for c in draft.changes.values()])
    with tenant.begin() as connection:
        connection.execute(sa.delete(table).where(table.c.person == person, done))


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
