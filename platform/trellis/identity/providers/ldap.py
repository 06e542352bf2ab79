"""Passwords that are in a directory, by Flask-AppBuilder's LDAP client (python-ldap, `pip install trellis[ldap]`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog
from flask import current_app
from flask_appbuilder.security.sqla.manager import SecurityManager

from trellis.identity.elsewhere import Claim
from trellis.storage.secrets import MissingSecret, tenant_secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trellis.model.sign_in import LdapSource
    from trellis.storage.tenant import Tenant

log = structlog.get_logger()
TIMEOUT = 10  # seconds; somebody waits


class _Directory(SecurityManager):  # type: ignore[misc]
    """Flask-AppBuilder's sign-in by LDAP, answering what the directory says in place of a row of its own."""

    auth_user_registration = True  # whoever is new here is "added", which is how the answer is had
    auth_roles_sync_at_login = False
    auth_groups_sync_at_login = True  # asks for the groups, too

    def __init__(self, source: LdapSource) -> None:
        # the parent's would set up a whole security manager: of it only the talk with the directory is wanted
        self.source = source

    def find_user(self, *_: Any, **__: Any) -> None:
        """Nobody: who somebody is here is found by what the directory says."""

    def _ldap_calculate_user_roles(self, user_attributes: Mapping[str, list[bytes]]) -> list[Any]:
        return []

    def _ldap_calculate_user_groups(self, user_attributes: Mapping[str, list[bytes]]) -> list[str]:
        groups: list[str] = self.ldap_extract_list(user_attributes, self.auth_ldap_group_field)
        return groups

    def add_user(
        self, username: str, first_name: str, last_name: str, email: str, role: Any, groups: Any = (), **_: Any
    ) -> Claim:
        """What the directory says."""
        return Claim(
            means="ldap",
            subject=username.strip().lower(),
            email="" if email.endswith("@email.notfound") else email,
            is_verified=True,
            name=f"{first_name} {last_name}".strip(),
            groups=tuple(groups),
        )

    def update_user_auth_stat(self, user: Any, success: bool = True) -> None:
        """Nothing: sign-ins are counted elsewhere."""


def claim(tenant: Tenant, source: LdapSource, username: str, password: str) -> Claim | None:
    """Who has this name and password in the directory; None for nobody, and when it cannot be asked (the log tells)."""
    if not username or not password or "\0" in password:
        return None  # a directory takes an empty password for a guest, and says yes
    try:
        import ldap
    except ImportError:
        log.error("LDAP cannot be asked: python-ldap is not installed (pip install 'trellis[ldap]')")
        return None
    for option in (ldap.OPT_NETWORK_TIMEOUT, ldap.OPT_TIMEOUT):
        ldap.set_option(option, TIMEOUT)
    try:
        current_app.config.update(_config(tenant, source))
    except MissingSecret as missing:
        log.error("LDAP cannot be asked", why=str(missing))
        return None
    found = _Directory(source).auth_user_ldap(username, password)
    return found if isinstance(found, Claim) else None


def _config(tenant: Tenant, source: LdapSource) -> dict[str, Any]:
    """Flask-AppBuilder's settings. Certificates are always checked: python-ldap keeps that for the whole process, so
    that what one tenant gives up all would have given up.
    """
    named = source.attributes
    return {
        "AUTH_LDAP_SERVER": source.server,
        "AUTH_LDAP_USE_TLS": source.start_tls,
        "AUTH_LDAP_TLS_DEMAND": True,
        "AUTH_LDAP_ALLOW_SELF_SIGNED": False,
        "AUTH_LDAP_TLS_CACERTDIR": "",
        "AUTH_LDAP_TLS_CACERTFILE": "",
        "AUTH_LDAP_TLS_CERTFILE": "",
        "AUTH_LDAP_TLS_KEYFILE": "",
        "AUTH_LDAP_SEARCH": source.search,
        "AUTH_LDAP_SEARCH_FILTER": source.filter,
        "AUTH_LDAP_BIND_USER": source.bind_user,
        "AUTH_LDAP_BIND_PASSWORD": tenant_secret(tenant.slug, source.bind_password) if source.bind_password else "",
        "AUTH_LDAP_APPEND_DOMAIN": "",
        "AUTH_LDAP_USERNAME_FORMAT": source.username,
        "AUTH_LDAP_UID_FIELD": named["user"],
        "AUTH_LDAP_EMAIL_FIELD": named["email"],
        "AUTH_LDAP_FIRSTNAME_FIELD": named["first_name"],
        "AUTH_LDAP_LASTNAME_FIELD": named["last_name"],
        "AUTH_LDAP_GROUP_FIELD": named["groups"],
    }
