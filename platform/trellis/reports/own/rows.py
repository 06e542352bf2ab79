"""What people have saved of reports: variants of one, and reports that they have built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from trellis.records.refusal import Fault, Forbidden, Missing, Refused
from trellis.reports.seen import RIGHT

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from trellis.records.store import Store
    from trellis.storage.tenant import Tenant

PREFIX = "my-"
LONGEST_LABEL = 80
MOST = 200  # that one person keeps
Parts = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Saved:
    """A row: a variant of `base` by the parts of its address, or a report by its YAML."""

    id: UUID
    base: str | None
    label: str
    owner: UUID | None
    is_mine: bool
    is_shared: bool
    roles: tuple[str, ...] | None
    definition: Mapping[str, Any]
    stamp: str = ""

    @property
    def key(self) -> str:
        """What addresses call it."""
        return f"{PREFIX}{self.id.hex}"

    @property
    def yaml(self) -> str:
        """The document of a report that somebody has built."""
        return str(self.definition.get("yaml", ""))

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """The parts of the address that a variant stands for."""
        return tuple((str(name), str(value)) for name, value in self.definition.get("parts", ()))


def id_of(key: str) -> UUID | None:
    """The id in a key."""
    try:
        return UUID(hex=key.removeprefix(PREFIX)) if key.startswith(PREFIX) else None
    except ValueError:
        return None


def saved_of(store: Store, base: str | None = None) -> list[Saved]:
    """What this person has saved and what others share with them: variants of a report, or (None) whole reports."""
    table = store.tenant.tables.platform.own_report
    about = table.c.base.is_(None) if base is None else table.c.base == base
    return _rows(store, about)


def all_saved(store: Store) -> list[Saved]:
    """Everything that this person finds."""
    return _rows(store, sa.true())


def saved_by(store: Store, id: UUID | None) -> Saved | None:
    """One that this person finds."""
    if id is None:
        return None
    found = _rows(store, store.tenant.tables.platform.own_report.c.id == id)
    return found[0] if found else None


def _rows(store: Store, about: sa.ColumnElement[bool]) -> list[Saved]:
    user = store.principal.id
    table = store.tenant.tables.platform.own_report
    mine = table.c.owner == user
    # what people save among themselves is nothing for those from outside
    seen = sa.or_(mine, sa.and_(table.c.shared, _reaches(store, table)))
    if user is None:
        return []
    query = sa.select(table).where(about, mine if store.session.permit.is_portal else seen)
    with store.transaction() as connection:
        rows = connection.execute(query.order_by(mine.desc(), sa.func.lower(table.c.label), table.c.id)).all()
    return [
        Saved(
            row.id,
            row.base,
            row.label,
            row.owner,
            row.owner == user,
            row.shared,
            tuple(row.roles) if row.roles is not None else None,
            row.definition,
            row.updated_at.isoformat(),
        )
        for row in rows
    ]


def _reaches(store: Store, table: sa.Table) -> sa.ColumnElement[bool]:
    roles = sorted(store.principal.roles)
    return sa.or_(table.c.roles.is_(None), table.c.roles.overlap(roles) if roles else sa.false())


def save(
    store: Store,
    label: str,
    definition: Mapping[str, Any],
    *,
    base: str | None = None,
    shared: bool = False,
    roles: Sequence[str] | None = None,
) -> Saved:
    """Save under a label; one of the person's own of the same report and label is replaced. Raises Refused."""
    user = _may_save(store, shared=shared)
    label, table = _label(label), store.tenant.tables.platform.own_report
    known = _known(store, roles)
    with store.transaction() as connection:
        owned = table.c.owner == user
        same = sa.and_(owned, table.c.base.is_not_distinct_from(base), table.c.label == label)
        found = connection.execute(sa.select(table.c.id).where(same)).scalar()
        values = {"definition": dict(definition), "shared": shared, "roles": known}
        if found is None:
            if connection.execute(sa.select(sa.func.count()).where(owned)).scalar_one() >= MOST:
                message = "You keep {most} reports and variants already: delete one first."
                raise Refused([Fault("many", message, "label", {"most": MOST})])
            found = uuid7()
            values |= {"id": found, "base": base, "label": label, "owner": user}
            connection.execute(sa.insert(table).values(**values))
        else:
            connection.execute(sa.update(table).where(table.c.id == found).values(**values, updated_at=sa.func.now()))
    return _again(store, found)


def change(store: Store, id: UUID, **values: Any) -> Saved:
    """Change one of the person's own: `label`, `definition`, `shared`, `roles`. Raises Missing, Refused."""
    user = _may_save(store, shared=bool(values.get("shared")))
    table = store.tenant.tables.platform.own_report
    if "label" in values:
        values["label"] = _label(values["label"])
    if "roles" in values:
        values["roles"] = _known(store, values["roles"])
    with store.transaction() as connection:
        one = sa.update(table).where(table.c.id == id, table.c.owner == user)
        if not connection.execute(one.values(**values, updated_at=sa.func.now())).rowcount:
            raise Missing("report")
    return _again(store, id)


def unshare(store: Store, id: UUID) -> None:
    """Take it back from everybody: its owner may, and administrators. Its owner keeps it. Raises Missing, Forbidden."""
    found = saved_by(store, id)
    if found is None:
        raise Missing("report")
    if not found.is_mine and not store.session.permit.allows("admin"):
        raise Forbidden("report", "share")
    table = store.tenant.tables.platform.own_report
    with store.transaction() as connection:
        connection.execute(sa.update(table).where(table.c.id == id).values(shared=False, roles=None))


def delete(store: Store, id: UUID) -> None:
    """Delete one of the person's own, with what was saved and asked for upon it. Raises Missing, Forbidden."""
    found = saved_by(store, id)
    if found is None:
        raise Missing("report")
    if not found.is_mine:
        raise Forbidden("report", "delete")
    with store.transaction() as connection:
        forget(connection, store.tenant, found)


def forget(connection: Connection, tenant: Tenant, saved: Saved) -> None:
    """Delete a row and what hangs on it."""
    platform = tenant.tables.platform
    connection.execute(sa.delete(platform.own_report).where(platform.own_report.c.id == saved.id))
    if saved.base is None:
        connection.execute(sa.delete(platform.own_report).where(platform.own_report.c.base == saved.key))
        connection.execute(sa.delete(platform.report_mail).where(platform.report_mail.c.report == saved.key))


def _again(store: Store, id: UUID) -> Saved:
    found = saved_by(store, id)
    assert found is not None
    return found


def _may_save(store: Store, *, shared: bool) -> UUID:
    permit, user = store.session.permit, store.principal.id
    if user is None or not permit.allows(RIGHT):
        raise Forbidden("report", RIGHT)
    if shared and permit.is_portal:
        raise Forbidden("report", "share")
    return user


def _label(label: str) -> str:
    cut = " ".join(label.replace("\0", "").split())[:LONGEST_LABEL].strip()
    if not cut:
        raise Refused([Fault("required", "It needs a name.", "label")])
    return cut


def _known(store: Store, roles: Sequence[str] | None) -> list[str] | None:
    return None if roles is None else [r for r in dict.fromkeys(roles) if r in store.tenant.model.roles]
