"""The sidebar: the Model's menu as far as the person may read it. One pass, no query."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

import flask
from flask import g, has_request_context, request

from trellis.model.text import Text
from trellis.records.pools.place import open_pools
from trellis.web.context import current_principal, current_store, current_tenant

if TYPE_CHECKING:
    from trellis.model.entity import Entity
    from trellis.model.model import MenuItem
    from trellis.records.store import Store
    from trellis.storage.tenant import Tenant

ANY = "00000000-0000-0000-0000-0000000000ff"  # an id that no record has


@dataclass(frozen=True, slots=True)
class Link:
    """An entry of the sidebar."""

    label: Text | str
    icon: str
    address: str
    key: str = ""
    is_current: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """A titled group of entries."""

    label: Text | str
    links: tuple[Link, ...]


def address(path: str = "") -> str:
    """The address of a page of this tenant: address("e/deal/")."""
    return f"{request.script_root}/{path}"


def url_for(endpoint: str, **values: Any) -> str:
    """The address of a page, as Flask's url_for gives it; that of a record's page is made once for all records."""
    ids = [key for key, value in values.items() if type(value) is UUID]
    others = [(key, value) for key, value in values.items() if type(value) is str and not key.startswith("_")]
    if len(ids) != 1 or len(others) != len(values) - 1 or not has_request_context():
        return flask.url_for(endpoint, **values)
    return _address_of_any(request.script_root, endpoint, ids[0], *others).replace(ANY, str(values[ids[0]]))


@lru_cache(maxsize=4096)
def _address_of_any(_root: str, endpoint: str, id: str, *others: tuple[str, str]) -> str:
    """The address of a record's page, with a mark in the place of its id."""
    values: dict[str, Any] = {**dict(others), id: UUID(ANY)}
    return flask.url_for(endpoint, **values)


def entity_address(entity: str, record: object = None, *, view: str | None = None) -> str:
    """The address of an entity's list, or of one of its records."""
    tail = f"{record}" if record is not None else (f"?view={view}" if view else "")
    return address(f"e/{entity}/{tail}")


def is_on(tenant: Tenant, entity: Entity) -> bool:
    """Whether the entity's module is switched on for the tenant."""
    modules = tenant.profile.modules
    return modules is None or entity.module is None or entity.module in modules


def may_read(entity: str, store: Store | None = None) -> bool:
    """Whether the person may read anything of an entity at all; by another Model's roles, for a door to that."""
    principal = store.principal if store is not None else current_principal()
    if principal.is_system:
        return True
    roles = (store.tenant if store is not None else current_tenant()).model.roles
    return any(
        (grant := roles[key].grants.get(entity)) is not None and grant.level("read").kind != "none"
        for key in principal.roles
        if key in roles
    )


def readable_entities() -> list[Entity]:
    """Every entity with pages of its own that the person may read, in the Model's order."""
    if "readable" not in g:
        g.readable = _listed(current_tenant())
    found: list[Entity] = g.readable
    return found


def _listed(tenant: Tenant, store: Store | None = None) -> list[Entity]:
    every = (e for e in tenant.model.entities.values() if not e.internal and e.part_of is None)
    return [e for e in every if is_on(tenant, e) and may_read(e.key, store)]


def sidebar(store: Store | None = None) -> list[Group]:
    """The groups of the sidebar for this person, with the entry of the page at hand marked.

    `store`: the door to a Model that is not live, whose menu is looked at.
    """
    tenant = store.tenant if store is not None else current_tenant()
    menu = tenant.model.menus.get("main") or next(iter(tenant.model.menus.values()), ())
    if not menu:
        listed = readable_entities() if store is None else _listed(tenant, store)
        links = tuple(_link(e.plural, e.icon, e.key) for e in listed)
        return [Group("", links)] if links else []
    apart = {(item.key, item.view) for group in menu for item in group.items if item.view}  # entries of their own
    groups = (
        Group(g_.label, tuple(_mark(link, apart) for i in g_.items if (link := _item(tenant, i, store)) is not None))
        for g_ in menu
    )
    return [group for group in groups if group.links]


def _item(tenant: Tenant, item: MenuItem, store: Store | None) -> Link | None:
    if item.kind == "report":
        return _report_link(tenant, item, store)
    if item.kind == "dashboard":
        return _dashboard_link(tenant, item, store)
    entity = tenant.model.entities.get(item.key)
    if entity is None or not is_on(tenant, entity) or not may_read(entity.key, store):
        return None
    if item.view in tenant.model.pools and item.view not in _pools(store):
        return None
    return _link(item.label, item.icon or entity.icon, entity.key, item.view)


def _pools(store: Store | None) -> frozenset[str]:
    """The pools that the person may look into; of a Model that is not live, those that are new in it, too."""
    if "open_pools" not in g:
        g.open_pools = frozenset(pool.key for pool in open_pools(current_store()))
    found: frozenset[str] = g.open_pools
    return found if store is None else found | (store.tenant.model.pools.keys() - current_tenant().model.pools.keys())


def _report_link(tenant: Tenant, item: MenuItem, store: Store | None) -> Link | None:
    from trellis.reports.seen import may_run

    report = tenant.model.reports.get(item.key)
    if report is None or not may_run(store or current_store(), report):
        return None
    return Link(item.label, item.icon, address(f"reports/{item.key}"), f"reports/{item.key}")


def _dashboard_link(tenant: Tenant, item: MenuItem, store: Store | None) -> Link | None:
    from trellis.reports.dashboards.seen import may_open

    dashboard = tenant.model.dashboards.get(item.key)
    if dashboard is None or not may_open(store or current_store(), dashboard):
        return None
    return Link(item.label, item.icon, address(f"dashboards/{item.key}"), f"dashboards/{item.key}")


def _link(label: Text, icon: str, entity: str, view: str | None = None) -> Link:
    return Link(label, icon, entity_address(entity, view=view), entity)


def _mark(link: Link, apart: Collection[tuple[str, str | None]]) -> Link:
    if link.key.startswith(("reports/", "dashboards/")):
        here = request.path == f"/{link.key}"
        return Link(link.label, link.icon, link.address, link.key, here) if here else link
    at = f"/e/{link.key}/"
    if not request.path.startswith(at):
        return link
    view = request.args.get("view")
    is_here = link.address.endswith(f"?view={view}") if "?view=" in link.address else (link.key, view) not in apart
    return Link(link.label, link.icon, link.address, link.key, is_here)
