"""Views that people save for themselves or for everybody: a list's address under a name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from trellis.identity.preferences import keep_preference
from trellis.records.refusal import Forbidden

if TYPE_CHECKING:
    from trellis.records.store import Store

PARTS = ("view", "q", "sort", "cols", "w", "f", "on", "where", "group", "pipeline")
LONGEST_LABEL = 60


@dataclass(frozen=True)
class SavedView:
    """A saved view: its label, whose it is, and the parts of the address that it stands for."""

    id: UUID
    label: str
    definition: Mapping[str, Any]
    is_mine: bool = True
    is_shared: bool = False
    owner: UUID | None = None

    @property
    def key(self) -> str:
        """What `?view=` says for it."""
        return f"my-{self.id.hex}"

    @property
    def base(self) -> str:
        """The key of the entity's view that it starts from."""
        view = self.definition.get("view") or ""
        return str(view[0] if isinstance(view, list) else view)


@dataclass(frozen=True)
class Kept:
    """What a person finds of an entity: the saved views, and the key of the view that the list opens with."""

    views: Sequence[SavedView]
    default: str = ""


def views_of(store: Store, entity: str) -> Kept:
    """The person's own views of an entity and those that others share, with the one to open: one statement."""
    user = store.principal.id
    if user is None:
        return Kept(())
    platform = store.tenant.tables.platform
    table, chosen = platform.saved_view, platform.preference
    one = sa.select(sa.literal(1).label("one")).subquery()
    own = table.c.owner == user
    # what people name their lists among themselves is nothing for those from outside
    seen = sa.and_(table.c.entity == entity, own if store.session.permit.is_portal else sa.or_(own, table.c.shared))
    mine = sa.and_(chosen.c.user == user, chosen.c.key == default_key(entity))
    query = (
        sa.select(
            table.c.id,
            table.c.label,
            table.c.definition,
            table.c.owner,
            table.c.shared,
            chosen.c.value.label("default"),
        )
        .select_from(one.outerjoin(chosen, mine).outerjoin(table, seen))
        .order_by(table.c.owner == user, table.c.position, table.c.created_at)
    )
    with store.transaction() as connection:
        rows = connection.execute(query).all()
    views = [SavedView(r.id, r.label, r.definition, r.owner == user, r.shared, r.owner) for r in rows if r.id]
    return Kept(views, str(rows[0].default or ""))


def saved_views(store: Store, entity: str) -> Sequence[SavedView]:
    """The person's own views of an entity, and those that others share."""
    return views_of(store, entity).views


def save_view(store: Store, entity: str, label: str, definition: Mapping[str, Any]) -> SavedView:
    """Saves a view under a label; one of the person's own of the same label is replaced."""
    table = store.tenant.tables.platform.saved_view
    user, kept = store.principal.id, kept_parts(definition)
    label = cut(label)
    with store.transaction() as connection:
        same = sa.and_(table.c.entity == entity, table.c.owner == user, table.c.label == label)
        found = connection.execute(sa.select(table.c.id).where(same)).scalar()
        if found is not None:
            connection.execute(sa.update(table).where(same).values(definition=kept, updated_at=sa.func.now()))
            return SavedView(found, label, kept)
        made: UUID = uuid7()
        values = {"id": made, "entity": entity, "label": label, "owner": user, "definition": kept}
        connection.execute(sa.insert(table).values(values))
        return SavedView(made, label, kept)


def change_view(store: Store, entity: str, id: UUID, **values: Any) -> bool:
    """Changes one of the person's own views (`label`, `definition`, `shared`); says whether there was one."""
    table = store.tenant.tables.platform.saved_view
    if values.get("shared") and store.session.permit.is_portal:
        raise Forbidden(entity, "share")
    if "label" in values:
        values["label"] = cut(values["label"])
    if "definition" in values:
        values["definition"] = kept_parts(values["definition"])
    with store.transaction() as connection:
        mine = sa.and_(table.c.id == id, table.c.entity == entity, table.c.owner == store.principal.id)
        return bool(
            connection.execute(sa.update(table).where(mine).values(**values, updated_at=sa.func.now())).rowcount
        )


def unshare_view(store: Store, entity: str, id: UUID) -> bool:
    """Takes a view back from everybody, whoever shares it: for administrators. Its owner keeps it."""
    table = store.tenant.tables.platform.saved_view
    with store.transaction() as connection:
        one = sa.and_(table.c.id == id, table.c.entity == entity, table.c.shared)
        return bool(connection.execute(sa.update(table).where(one).values(shared=False)).rowcount)


def delete_view(store: Store, entity: str, id: UUID) -> bool:
    """Deletes one of the person's own views; says whether there was one."""
    table = store.tenant.tables.platform.saved_view
    with store.transaction() as connection:
        gone = sa.delete(table).where(table.c.id == id, table.c.entity == entity, table.c.owner == store.principal.id)
        return bool(connection.execute(gone).rowcount)


def default_key(entity: str) -> str:
    """The preference that says which view an entity's list opens with."""
    return f"view:{entity}"


def choose_default(store: Store, entity: str, key: str | None) -> None:
    """The view that the person's list opens with from now on; None leaves it to the entity."""
    if store.principal.id is not None:
        keep_preference(store.tenant, store.principal.id, default_key(entity), key)


def kept_parts(definition: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of an address that a view keeps."""
    return {key: definition[key] for key in PARTS if definition.get(key)}


def cut(label: str) -> str:
    """A label without spaces around it, and not too long."""
    return " ".join(label.replace("\0", "").split())[:LONGEST_LABEL].strip()
