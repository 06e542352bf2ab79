"""Flask-AppBuilder's security manager on a tenant's own schema and role, with people and roles from the Model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
import structlog
from flask import current_app, g, request, session
from flask.globals import app_ctx
from flask_appbuilder.security.sqla.manager import SecurityManager
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from trellis.identity.elsewhere import NotAdmitted, admit
from trellis.identity.person import PERSON, Person, has_right, is_active, read_person
from trellis.identity.providers import ldap, saml
from trellis.identity.sessions import close_session, digest, has_other_rights, rotate_session, touch_session

if TYPE_CHECKING:
    from flask import Flask

    from trellis.identity.sign_in_log import Place
    from trellis.storage.tenant import Tenant

log = structlog.get_logger()


@dataclass(frozen=True)
class Shown:
    """Somebody who has shown who they are, and by what means."""

    person: UUID
    means: str


SESSION_KEY = "_sid"  # the secret of the session, in the signed cookie


def security_session(tenant: Tenant) -> scoped_session[Session]:
    """The session that Flask-AppBuilder works with: each transaction begins as the tenant's role in its schema."""
    maker = sessionmaker(bind=tenant.database.engine)

    def begin_as_tenant(_: Session, __: Any, connection: sa.Connection) -> None:
        tenant.become(connection)

    sa.event.listen(maker, "after_begin", begin_as_tenant)
    return scoped_session(maker, scopefunc=lambda: id(app_ctx._get_current_object()))  # type: ignore[attr-defined]


def _is_navigation() -> bool:
    """Whether a browser goes to a page: only then nothing else of it is under way with the old secret."""
    asked = request.headers
    return request.method == "GET" and "HX-Request" not in asked and "X-Requested-With" not in asked


class TenantSecurityManager(SecurityManager):  # type: ignore[misc]
    """Sign-in, people, roles. Records are permitted by the door; this knows who somebody is and what pages they see."""

    oauth: Any = None  # Authlib's registry, once somebody has signed in by a provider
    oauth_remotes: dict[str, Any]

    def __init__(self, appbuilder: Any) -> None:
        self.oauth_remotes = {}
        super().__init__(appbuilder)

    @property
    def tenant(self) -> Tenant:
        """The tenant of the app at hand."""
        tenant: Tenant = current_app.extensions["trellis"].tenant
        return tenant

    def create_db(self) -> None:
        """Nothing: the tables come with the tenant's plan, the roles with its Model."""

    def register_views(self) -> None:
        """Nothing: the pages for signing in, people and roles are ours, in one design with the rest."""

    def create_login_manager(self, app: Flask) -> LoginManager:
        """Flask-Login, with our sign-in page and sessions."""
        manager = LoginManager(app)
        manager.login_view = "AccountView.sign_in"
        manager.session_protection = None  # the session's secret is enough; an address may change on a phone
        manager.user_loader(self.load_user)
        return manager

    def create_limiter(self, app: Flask) -> Limiter:
        """Flask-Limiter, used by the pages that take passwords."""
        limiter = Limiter(key_func=get_remote_address, storage_uri="memory://", headers_enabled=False)
        limiter.init_app(app)
        return limiter

    def load_user(self, pk: int) -> Person | None:
        """The person of this request's session; the login's number alone proves nothing."""
        secret = session.get(SESSION_KEY)
        if not secret:
            return None
        person = read_person(self.tenant, digest(secret))
        if person is None:
            close_session(self.tenant, secret)  # of somebody who may not come in any more: also not later, by it
            return None
        if person.get_id() != str(pk):
            return None
        touch_session(self.tenant, person)
        if has_other_rights(person) and _is_navigation():
            session[SESSION_KEY] = rotate_session(self.tenant, secret, roles=person.roles)
            person = replace(person, session=digest(session[SESSION_KEY]))
        return person

    def update_user_auth_stat(self, user: Any, success: bool = True) -> None:
        """Nothing: what happened is written down by whoever asked, in the same way for accounts that there are not."""

    def noop_user_update(self, user: Any) -> None:
        """Nothing, as there is nothing to be balanced."""

    def authenticate(self, email: str, password: str, place: Place) -> Shown | None:
        """Who has this address and password, here or in the directory; None for nobody, after the same time."""
        sign_in = self.tenant.profile.sign_in
        login = self.auth_user_db(email, password) if sign_in.password else None
        person = self._person_of(login.id) if login is not None else None
        if person is not None:
            return Shown(person, "password")
        if sign_in.ldap is None or (claim := ldap.claim(self.tenant, sign_in.ldap, email, password)) is None:
            return None
        try:
            return Shown(admit(self.tenant, sign_in.ldap, claim, place), "ldap")
        except NotAdmitted as refused:
            log.warning("not admitted", means="ldap", why=refused.why)
            return None

    @staticmethod
    def _prepare_saml_request() -> dict[str, Any]:
        """The request as python3-saml wants it, with where the app is mounted."""
        return saml.prepare_request()

    def get_saml_settings(self, provider_name: str) -> Any:
        """What python3-saml is told of a provider: from tenant.yaml in place of the app's configuration."""
        return saml.settings_of(self.tenant.profile.sign_in.saml[provider_name])

    def _person_of(self, login: int) -> UUID | None:
        """The person that a login belongs to."""
        user = self.tenant.tables.entity[PERSON]
        with self.tenant.begin() as connection:
            return connection.execute(sa.select(user.c.id).where(user.c.login == login)).scalar()

    def find_user(self, username: str | None = None, email: str | None = None) -> Any:
        """A login by its name, or by the e-mail address of the person it belongs to (if they may sign in)."""
        if username:
            return self.session.scalar(sa.select(self.user_model).where(self.user_model.username == username))
        if not email:
            return None
        person = self.tenant.tables.entity[PERSON]
        known = sa.select(person.c.login).where(
            sa.func.lower(person.c.email) == email.strip().lower(), person.c.deleted_at.is_(None), is_active(person)
        )
        return self.session.scalar(sa.select(self.user_model).where(self.user_model.id.in_(known)))

    def get_user_roles(self, user: Any) -> list[Any]:
        """The Flask-AppBuilder roles that stand for the person's roles."""
        if isinstance(user, Person):
            names = list(user.roles)
            return list(self.session.scalars(sa.select(self.role_model).where(self.role_model.name.in_(names))))
        found: list[Any] = super().get_user_roles(user)
        return found

    def has_access(self, permission_name: str, view_name: str) -> bool:
        """Whether the person at hand may use a page: everyone the plain ones, administrators the rest. No query."""
        person = getattr(g, "user", None)
        if person is None or not person.is_authenticated:
            return False
        view = next((v for v in current_app.extensions["appbuilder"].baseviews if type(v).__name__ == view_name), None)
        right = getattr(view, "needs_right", None)
        return right is None or has_right(self.tenant, person, right)
