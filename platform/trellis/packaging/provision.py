"""Making a tenant with its data: closed until everything is in, and begun anew when it was interrupted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from werkzeug.security import generate_password_hash

from trellis.config.workspace import Workspace
from trellis.identity.accounts import Account, set_password
from trellis.identity.person import ADMIN, PERSON, reader_for
from trellis.packaging.past import keep_past
from trellis.records.principal import Principal
from trellis.records.store import Store
from trellis.records.transfer import load_data
from trellis.records.transfer.loader import Which

if TYPE_CHECKING:
    from trellis.config.layer import Layer
    from trellis.storage.catalogue import Catalogue
    from trellis.storage.tenant import Tenant

DEMO = "Demo"  # a revision's reason: this tenant was made for trying things out
DEMO_PASSWORD = "trellis-demo"
LOCK = 7272  # advisory locks (LOCK, hash of the slug): who is making this tenant


@dataclass(frozen=True)
class Login:
    """Somebody who can sign in to a demo tenant."""

    name: str
    email: str
    roles: tuple[str, ...]


def provision_demo(catalogue: Catalogue, workspace: Workspace, slug: str) -> list[str]:
    """Make a demo tenant with seed and demo data and passwords, unless it is there; what could not be loaded.

    The tenant stays closed (`provisioning`) until all of it is in: a process that is killed in between leaves
    something that nobody sees and that the next start makes anew.
    """
    with _turn(catalogue, slug):
        status = {entry.slug: entry.status for entry in catalogue.list()}.get(slug)
        if status is not None and status != "provisioning":
            return []
        if status == "provisioning":
            catalogue.drop(slug)
        return provision(catalogue, slug, workspace.layers_for_tenant(slug), "trellis", demo=True)


def provision(catalogue: Catalogue, slug: str, layers: Sequence[Layer], who: str, *, demo: bool = False) -> list[str]:
    """Make a tenant with its layers' seed data; `demo`: also demo data and passwords. What could not be loaded."""
    tenant = catalogue.create(slug, layers, who, why=DEMO if demo else "", status="provisioning")
    failures = load_layers(tenant, layers, ("seed", "demo") if demo else ("seed",))
    if demo:
        keep_past(tenant, system_store(tenant))
        ensure_administrator(tenant)
        give_passwords(tenant, DEMO_PASSWORD)
    catalogue.resume(slug)
    return failures


def load_layers(tenant: Tenant, layers: Sequence[Layer], which: Sequence[Which] = ("seed", "demo")) -> list[str]:
    """Load every layer's seed data, then every layer's demo data; the answer is what could not be loaded."""
    folders = [layer.path for layer in layers if layer.path is not None]
    store = system_store(tenant)
    return [failure for each in which for failure in load_data(store, folders, each).failures]


@contextmanager
def _turn(catalogue: Catalogue, slug: str) -> Iterator[None]:
    """Wait for whoever is making the same tenant at this moment."""
    with catalogue.database.engine.connect() as connection:
        number = sa.func.hashtext(slug)
        connection.execute(sa.select(sa.func.pg_advisory_lock(LOCK, number)))
        connection.commit()
        try:
            yield
        finally:
            connection.execute(sa.select(sa.func.pg_advisory_unlock(LOCK, number)))
            connection.commit()


def system_store(tenant: Tenant) -> Store:
    """The door, for the platform's own hand."""
    return Store(tenant, Principal.system(reader_for(tenant)))


def ensure_administrator(tenant: Tenant) -> None:
    """Make somebody who may do everything, if the data brought nobody."""
    admins = [key for key, role in tenant.model.roles.items() if ADMIN in role.allow]
    if admins and not any(set(login.roles) & set(admins) for login in logins(tenant)):
        address = f"admin@{tenant.slug}.example"
        system_store(tenant).create(
            PERSON, {"name": "Administrator", "email": address, "roles": [admins[0]]}, means="system"
        )


def give_passwords(tenant: Tenant, password: str) -> None:
    """Give everybody in the tenant the same password; for demos only, where everybody knows it."""
    hashed = generate_password_hash(password)  # made to be slow: once is enough for one password
    with tenant.begin() as connection:
        for row in connection.execute(_people(tenant, "id", "name", "email", "login")).all():
            set_password(connection, tenant, Account(row.id, row.name, row.email, row.login), password, hashed=hashed)


def logins(tenant: Tenant) -> list[Login]:
    """Who can sign in, by name."""
    with tenant.begin() as connection:
        rows = connection.execute(_people(tenant, "name", "email", "roles")).all()
    return [Login(row.name, row.email, tuple(row.roles or ())) for row in rows]


def _people(tenant: Tenant, *columns: str) -> sa.Select[Any]:
    user = tenant.tables.entity[PERSON]
    return (
        sa.select(*(user.c[name] for name in columns))
        .where(user.c.deleted_at.is_(None), user.c.email.is_not(None))
        .order_by(user.c.name)
    )


def is_demo(catalogue: Catalogue, slug: str) -> bool:
    """Whether the tenant was made by provision_demo."""
    revisions = catalogue.revisions(slug)
    return bool(revisions) and revisions[-1].why == DEMO
