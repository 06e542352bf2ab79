"""Dashboards that people have made, and what they have added to those of the configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from trellis.records.refusal import Fault, Forbidden, Missing, Refused
from trellis.reports.own.rows import MOST, PREFIX, _known, _label, _may_save, _reaches

if TYPE_CHECKING:
    from trellis.records.store import Store


@dataclass(frozen=True)
class Board:
    """A row: a dashboard by its YAML; with `base` only widgets for one of the configuration's."""

    id: UUID
    base: str | None
    label: str
    owner: UUID | None  # None: added by an administrator, for everybody
    is_mine: bool
    is_shared: bool
    roles: tuple[str, ...] | None
    yaml: str
    stamp: str = ""

    @property
    def key(self) -> str:
        """What addresses call it."""
        return f"{PREFIX}{self.id.hex}"


def boards_of(store: Store) -> list[Board]:
    """The dashboards that this person has made and those that others share with them; their own first."""
    return _rows(store, store.tenant.tables.platform.own_dashboard.c.base.is_(None))


def board_by(store: Store, id: UUID | None) -> Board | None:
    """One that this person finds."""
    table = store.tenant.tables.platform.own_dashboard
    found = _rows(store, sa.and_(table.c.id == id, table.c.base.is_(None))) if id is not None else []
    return found[0] if found else None


def additions_of(store: Store, base: str) -> list[Board]:
    """What is added to a dashboard of the configuration: for everybody, then by this person."""
    table = store.tenant.tables.platform.own_dashboard
    if store.session.permit.is_portal:
        return []
    mine = sa.or_(table.c.owner.is_(None), table.c.owner == store.principal.id)
    return sorted(_found(store, sa.and_(table.c.base == base, mine)), key=lambda b: b.owner is not None)


def _rows(store: Store, about: sa.ColumnElement[bool]) -> list[Board]:
    user, table = store.principal.id, store.tenant.tables.platform.own_dashboard
    if user is None or store.session.permit.is_portal:
        return []
    seen = sa.or_(table.c.owner == user, sa.and_(table.c.shared, _reaches(store, table)))
    return _found(store, sa.and_(about, seen))


def _found(store: Store, where: sa.ColumnElement[bool]) -> list[Board]:
    user, table = store.principal.id, store.tenant.tables.platform.own_dashboard
    order = ((table.c.owner == user).desc(), sa.func.lower(table.c.label), table.c.id)
    with store.transaction() as connection:
        rows = connection.execute(sa.select(table).where(where).order_by(*order)).all()
    return [
        Board(
            row.id,
            row.base,
            row.label,
            row.owner,
            row.owner is not None and row.owner == user,
            row.shared,
            tuple(row.roles) if row.roles is not None else None,
            str(row.definition.get("yaml", "")),
            row.updated_at.isoformat(),
        )
        for row in rows
    ]


def make(store: Store, label: str, yaml: str, *, shared: bool = False, roles: Sequence[str] | None = None) -> Board:
    """A new dashboard of this person's. Raises Refused, Forbidden."""
    user = may_make(store)
    table, values = store.tenant.tables.platform.own_dashboard, {"shared": shared, "roles": _known(store, roles)}
    with store.transaction() as connection:
        owned = sa.select(sa.func.count()).where(table.c.owner == user, table.c.base.is_(None))
        if connection.execute(owned).scalar_one() >= MOST:
            message = "You keep {most} dashboards already: delete one first."
            raise Refused([Fault("many", message, "label", {"most": MOST})])
        made = uuid7()
        row = {"id": made, "label": _label(label), "owner": user, "definition": {"yaml": yaml}, **values}
        connection.execute(sa.insert(table).values(**row))
    found = board_by(store, made)
    assert found is not None
    return found


def change(store: Store, id: UUID, **values: Any) -> None:
    """Change one of this person's own: `label`, `yaml`, `shared`, `roles`. Raises Missing, Refused."""
    user, table = may_make(store), store.tenant.tables.platform.own_dashboard
    if "label" in values:
        values["label"] = _label(values["label"])
    if "roles" in values:
        values["roles"] = _known(store, values["roles"])
    if "yaml" in values:
        values["definition"] = {"yaml": values.pop("yaml")}
    with store.transaction() as connection:
        one = sa.update(table).where(table.c.id == id, table.c.owner == user, table.c.base.is_(None))
        if not connection.execute(one.values(**values, updated_at=sa.func.now())).rowcount:
            raise Missing("dashboard")


def unshare(store: Store, board: Board) -> None:
    """Take it back from everybody: its owner may, and administrators. Raises Forbidden."""
    if not board.is_mine and not store.session.permit.allows("admin"):
        raise Forbidden("dashboard", "share")
    table = store.tenant.tables.platform.own_dashboard
    with store.transaction() as connection:
        connection.execute(sa.update(table).where(table.c.id == board.id).values(shared=False, roles=None))


def delete(store: Store, board: Board) -> None:
    """Delete one of this person's own. Raises Forbidden."""
    if not board.is_mine:
        raise Forbidden("dashboard", "delete")
    table = store.tenant.tables.platform.own_dashboard
    with store.transaction() as connection:
        connection.execute(sa.delete(table).where(table.c.id == board.id))


def keep_additions(store: Store, base: str, yaml: str | None, *, for_all: bool) -> None:
    """What this person, or an administrator for everybody, has added to a dashboard; None: nothing any more."""
    user = None if for_all else may_make(store)
    if for_all and not store.session.permit.allows("admin"):
        raise Forbidden("dashboard", "admin")
    table = store.tenant.tables.platform.own_dashboard
    one = sa.and_(table.c.base == base, table.c.owner.is_not_distinct_from(user))
    with store.transaction() as connection:
        found = connection.execute(sa.select(table.c.id).where(one)).scalar()
        if yaml is None:
            connection.execute(sa.delete(table).where(one))
        elif found is None:
            row: Mapping[str, Any] = {"id": uuid7(), "base": base, "label": base, "owner": user}
            connection.execute(sa.insert(table).values(**row, definition={"yaml": yaml}))
        else:
            changed = sa.update(table).where(table.c.id == found)
            connection.execute(changed.values(definition={"yaml": yaml}, updated_at=sa.func.now()))


def may_make(store: Store) -> UUID:
    """Who makes it: those who may read reports and belong to the house. Raises Forbidden."""
    user = _may_save(store, shared=False)
    if store.session.permit.is_portal:
        raise Forbidden("dashboard", "create")
    return user
