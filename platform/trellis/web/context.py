"""What a page asks about its request: the tenant, the person, the door to records, the language."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from flask import current_app, g
from flask_babel import get_locale
from flask_login import current_user

from trellis.identity.person import Person, has_right, principal_for, reader_for
from trellis.records.principal import Principal

if TYPE_CHECKING:
    from trellis.formula.reader import Reader
    from trellis.model.model import Model
    from trellis.records.store import Store
    from trellis.storage.catalogue import Catalogue
    from trellis.storage.tenant import Tenant
    from trellis.web.settings import Settings


@dataclass(frozen=True)
class Serving:
    """What a tenant's app serves; kept in `app.extensions["trellis"]`."""

    tenant: Tenant
    settings: Settings
    catalogue: Catalogue | None = None


def serving() -> Serving:
    """What the app at hand serves."""
    found: Serving = current_app.extensions["trellis"]
    return found


def current_tenant() -> Tenant:
    """The tenant of this request."""
    return serving().tenant


def current_model() -> Model:
    """The tenant's Model."""
    return serving().tenant.model


def current_person() -> Person | None:
    """Who is signed in, if anybody."""
    user: Any = current_user._get_current_object()  # once: a page asks some thirty times
    return user if user is not None and user.is_authenticated else None


def current_principal() -> Principal:
    """Who asks, for the door. Made once for each request; refuses when nobody is signed in."""
    if "principal" not in g:
        person = current_person()
        if person is None:
            raise RuntimeError("nobody is signed in: the page needs signed_in()")
        g.principal = principal_for(current_tenant(), person, current_language())
    principal: Principal = g.principal
    return principal


def current_reader() -> Reader:
    """How values are shown: the person's settings, or the tenant's on pages without one."""
    if current_person() is not None:
        return current_principal().reader
    if "reader" not in g:
        g.reader = reader_for(current_tenant(), language=current_language())
    reader: Reader = g.reader
    return reader


def current_store() -> Store:
    """The door to records, for the person of this request."""
    if "store" not in g:
        from trellis.records.store import Store

        g.store = Store(current_tenant(), current_principal())
    store: Store = g.store
    return store


def own_store() -> Store:
    """The door for one's own record: whatever the role says, one's language is one's own. History names the person."""
    from trellis.records.store import Store

    return Store(current_tenant(), replace(current_principal(), is_system=True))


def current_language() -> str:
    """The language that this page is written in, as a BCP 47 tag."""
    return str(get_locale() or "en").replace("_", "-")


def may(right: str) -> bool:
    """Whether the person has a right beside any entity: admin, import, merge, bulk-edit, reports, api."""
    known: dict[str, bool] = g.setdefault("rights", {})
    if right not in known:
        known[right] = has_right(current_tenant(), current_person(), right)
    return known[right]
