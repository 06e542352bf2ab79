"""A tenant as one file, and back: its configuration, its rows, its files.

The file is a ZIP: `manifest.json`, `revisions.json` (every configuration there was), `data/<table>` (PostgreSQL's COPY
text), `files/<path>`. Restoring applies the configuration first, with whatever tables this version makes of it, and
then loads the columns that both have: so a backup outlives versions.
"""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from trellis import __version__
from trellis.config.layer import Layer, layer_from_files
from trellis.storage.audit.anchors import anchor_now
from trellis.storage.audit.company import has_log, note_company
from trellis.storage.catalogue import Catalogue, run_script
from trellis.storage.hooks import after_apply, after_restore
from trellis.storage.live import owner_connection
from trellis.storage.names import sql_name, sql_text
from trellis.storage.schema import revisions, tenants
from trellis.storage.tenant import describe_schema

if TYPE_CHECKING:
    import psycopg
    from sqlalchemy.engine import Connection

    from trellis.storage.tenant import Tenant

FORMAT = 1
MANIFEST, REVISIONS, DATA, FILES = "manifest.json", "revisions.json", "data/", "files/"


class BackupUnusable(Exception):
    """The file is no backup, or one of a later Trellis."""


@dataclass(frozen=True)
class Manifest:
    """What a backup holds."""

    tenant: str
    label: str
    version: str
    made_at: str
    rows: int
    files: int


def back_up(catalogue: Catalogue, slug: str, target: Path, files: Path) -> Manifest:
    """Write a tenant into `target`; `files` is the folder with the tenants' files. All rows are of one moment."""
    tenant = catalogue.get(slug)
    head = _note_backup(catalogue, tenant, target)
    history = [catalogue.revision(slug, r.number) for r in catalogue.revisions(slug)]
    partial = target.with_name(f".{target.name}.part")
    tables: dict[str, list[str]] = {}
    rows = 0
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            with owner_connection(tenant) as connection, connection.begin():
                run_script(connection, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                for table in _live_tables(connection):
                    tables[table.name] = [c.name for c in table.columns if c.computed is None]
                    rows += _copy_out(connection, table.name, tables[table.name], archive)
            count = _write_files(archive, files / slug)
            manifest = Manifest(slug, tenant.profile.label, __version__, datetime.now(UTC).isoformat(), rows, count)
            about = {
                "format": FORMAT,
                **manifest.__dict__,
                "revision": tenant.revision,
                "audit": head,
                "tables": tables,
            }
            archive.writestr(MANIFEST, json.dumps(about, ensure_ascii=False, indent=1))
            archive.writestr(REVISIONS, json.dumps([_as_json(r) for r in history], ensure_ascii=False))
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return manifest


def _note_backup(catalogue: Catalogue, tenant: Tenant, target: Path) -> str | None:
    """Tell the audit log of the backup, and note the log's head, which the backup holds."""
    with tenant.begin() as connection:
        if not has_log(connection):
            return None  # an earlier version's tables
        note_company(connection, tenant, "company.backed-up", details={"file": target.name})
    return str(anchor_now(catalogue, tenant))


def restore(catalogue: Catalogue, source: Path, who: str, files: Path, *, slug: str | None = None) -> Tenant:
    """Make a tenant of a backup, under its old name or another. Nothing is left of it if it fails."""
    with _open(source) as (archive, about):
        earlier = json.loads(archive.read(REVISIONS))
        name, old = slug or about["tenant"], about["tenant"]
        layers = _renamed(earlier[0]["layers"], old, name)
        tenant = catalogue.create(name, layers, who, why=f"Restored from {source.name}", status="provisioning")
        try:
            with owner_connection(tenant) as connection, connection.begin():
                _load(connection, tenant, archive, about["tables"])
            with tenant.begin() as connection:
                told = {"of": old, "made_at": about["made_at"], "file": source.name}
                note_company(connection, tenant, "company.restored", who, told)
            _read_files(archive, files / name)
            _keep_history(catalogue, name, earlier, old)
        except BaseException:
            catalogue.drop(name)
            shutil.rmtree(files / name, ignore_errors=True)
            raise
    catalogue.resume(name)
    return catalogue.get(name)


def read_manifest(source: Path) -> Manifest:
    """What a backup says it holds. Raises BackupUnusable."""
    with _open(source) as (_, about):
        return Manifest(**{k: about[k] for k in Manifest.__dataclass_fields__})


@contextmanager
def _open(source: Path) -> Iterator[tuple[zipfile.ZipFile, dict[str, Any]]]:
    try:
        archive = zipfile.ZipFile(source)
        about = json.loads(archive.read(MANIFEST))
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise BackupUnusable(f"{source} is no backup of a Trellis tenant") from error
    with archive:
        if about.get("format") != FORMAT:
            raise BackupUnusable(f"{source} was written by Trellis {about.get('version')}: upgrade this one first")
        yield archive, about


def _live_tables(connection: Connection) -> Sequence[sa.Table]:
    """The tables as they are."""
    metadata = sa.MetaData()
    metadata.reflect(connection, resolve_fks=False)
    return sorted(metadata.tables.values(), key=lambda t: t.name)


def _copy_out(connection: Connection, table: str, columns: Sequence[str], archive: zipfile.ZipFile) -> int:
    """Stream a table into the archive, and count its rows."""
    listed = ", ".join(sql_name(c) for c in columns)
    with (
        archive.open(DATA + table, "w", force_zip64=True) as file,
        _driver(connection).cursor() as cursor,
        cursor.copy(f"COPY (SELECT {listed} FROM {sql_name(table)}) TO STDOUT") as copy,
    ):
        rows = 0
        for block in copy:
            file.write(block)
            rows += 1  # PostgreSQL sends a row at a time
    return rows


def _load(connection: Connection, tenant: Tenant, archive: zipfile.ZipFile, saved: dict[str, list[str]]) -> None:
    """Replace what creating the tenant has written by what the backup holds."""
    tables = _in_order(tenant.tables.metadata)
    kept = [sql_name(t.name) for t in (tenant.tables.platform.audit, tenant.tables.platform.audit_seal)]
    for name in kept:  # the log comes back as it was, with its seals: nothing is sealed anew
        run_script(connection, f"ALTER TABLE {name} DISABLE TRIGGER USER")
    run_script(connection, "TRUNCATE " + ", ".join(sql_name(t.name) for t in tables))
    names = set(archive.namelist())
    for table in tables:
        if table.name in saved and DATA + table.name in names:
            _copy_in(connection, table, saved[table.name], archive)
    for table in tables:
        for column in table.columns:
            if column.primary_key and isinstance(column.type, sa.Integer) and not column.foreign_keys:
                name, where = sql_text(sql_name(table.name)), sql_name(table.name)
                highest = f"(SELECT max({sql_name(column.name)}) FROM {where})"
                sequence = f"pg_get_serial_sequence({name}, {sql_text(column.name)})"
                run_script(connection, f"SELECT setval({sequence}, {highest}) WHERE {highest} IS NOT NULL")
    run_script(connection, "SET CONSTRAINTS ALL IMMEDIATE")  # no table changes its shape with checks outstanding
    for name in kept:
        run_script(connection, f"ALTER TABLE {name} ENABLE TRIGGER USER")
    for hook in after_apply:
        hook(connection, tenant, None)
    for settle in after_restore:
        settle(connection, tenant)


def _in_order(metadata: sa.MetaData) -> list[sa.Table]:
    """Flask-AppBuilder's tables first, parents before children; the others check their keys at commit."""
    ordered = metadata.sorted_tables
    return [t for t in ordered if t.name.startswith("ab_")] + [t for t in ordered if not t.name.startswith("ab_")]


def _copy_in(connection: Connection, table: sa.Table, columns: Sequence[str], archive: zipfile.ZipFile) -> None:
    """Load a table's rows; a column that this version has no place for is left out."""
    known = [c for c in columns if c in table.c]
    target = sql_name(table.name)
    if len(known) < len(columns):
        described = ", ".join(f"{sql_name(c)} text" for c in columns)
        run_script(connection, f"CREATE TEMPORARY TABLE _restored ({described}) ON COMMIT DROP")
        _stream(connection, "_restored", columns, archive, table.name)
        kinds = {c: table.c[c].type.compile(dialect=connection.dialect) for c in known}
        values = ", ".join(f"{sql_name(c)}::{kinds[c]}" for c in known)
        listed = ", ".join(sql_name(c) for c in known)
        overriding = "OVERRIDING SYSTEM VALUE"
        run_script(connection, f"INSERT INTO {target} ({listed}) {overriding} SELECT {values} FROM _restored")
        run_script(connection, "DROP TABLE _restored")
    else:
        _stream(connection, target, columns, archive, table.name)


def _stream(connection: Connection, target: str, columns: Sequence[str], archive: zipfile.ZipFile, member: str) -> None:
    listed = ", ".join(sql_name(c) for c in columns)
    with (
        archive.open(DATA + member) as file,
        _driver(connection).cursor() as cursor,
        cursor.copy(f"COPY {target} ({listed}) FROM STDIN") as copy,
    ):
        while block := file.read(1 << 20):
            copy.write(block)


def _driver(connection: Connection) -> psycopg.Connection[Any]:
    driver = connection.connection.driver_connection
    assert driver is not None
    return driver  # type: ignore[no-any-return]


def _write_files(archive: zipfile.ZipFile, folder: Path) -> int:
    found = sorted(p for p in folder.rglob("*") if p.is_file()) if folder.is_dir() else []
    for path in found:
        archive.write(path, FILES + path.relative_to(folder).as_posix())
    return len(found)


def _read_files(archive: zipfile.ZipFile, folder: Path) -> None:
    for member in archive.namelist():
        path = PurePosixPath(member)
        if not member.startswith(FILES) or member.endswith("/") or path.is_absolute() or ".." in path.parts:
            continue  # nothing in a backup may lead out of the tenant's folder
        target = folder / path.relative_to(FILES.rstrip("/"))
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(member) as content, target.open("wb") as file:
            shutil.copyfileobj(content, file)


def _as_json(revision: Any) -> dict[str, Any]:
    return {
        "number": revision.number,
        "at": revision.at.isoformat(),
        "who": revision.who,
        "why": revision.why,
        "hash": revision.hash,
        "layers": [{"name": x.name, "folder": x.folder, "files": x.text()} for x in revision.layers],
        "steps": list(revision.steps),
        "origin": revision.origin,
    }


def _renamed(stored: Sequence[dict[str, Any]], old: str, new: str) -> list[Layer]:
    """The layers of a revision, with the tenant's name in its own layer changed."""
    return [_renamed_layer(x, old, new) for x in stored]


def _renamed_layer(stored: dict[str, Any], old: str, new: str) -> Layer:
    files = dict(stored["files"])
    name, folder = stored["name"], stored.get("folder", "")
    if old != new and "tenant.yaml" in files:
        own = re.compile(rf"^(tenant:\s*)(['\"]?){re.escape(old)}\2(?=\s|$)", re.MULTILINE)
        files["tenant.yaml"] = own.sub(rf"\g<1>{new}", files["tenant.yaml"], count=1)
        name, folder = (part.replace(old, new) if old in part else part for part in (name, folder))
    return layer_from_files(name, files, folder)


def _keep_history(catalogue: Catalogue, slug: str, earlier: Sequence[dict[str, Any]], old: str) -> None:
    """Put the earlier revisions below the restored one, so that one can still go back to them."""
    number = max(r["number"] for r in earlier) + 1
    tenant = catalogue.get(slug)
    with owner_connection(tenant) as connection, connection.begin():
        run_script(connection, describe_schema(tenant.schema, slug, number))
    with catalogue.database.engine.begin() as connection:
        connection.execute(sa.update(revisions).where(revisions.c.tenant == slug).values(number=number))
        connection.execute(sa.update(tenants).where(tenants.c.slug == slug).values(revision=number))
        for row in earlier:
            layers = [
                {"name": x.name, "folder": x.folder, "files": x.text()} for x in _renamed(row["layers"], old, slug)
            ]
            values = {k: row[k] for k in ("number", "who", "why", "hash", "steps")}
            values["origin"] = row.get("origin", "files")  # backups of earlier versions do not say
            connection.execute(
                sa.insert(revisions).values(**values, tenant=slug, at=datetime.fromisoformat(row["at"]), layers=layers)
            )
