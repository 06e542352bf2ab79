"""`sign_in:` of a tenant's manifest."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from trellis.config.phrase import phrase
from trellis.model.compile.context import Context, humanize
from trellis.model.compile.item import Item
from trellis.model.durations import read_duration
from trellis.model.sign_in import (
    LdapSource,
    Lockout,
    OAuthSource,
    SamlSource,
    SecondFactor,
    SessionLimits,
    SignIn,
)

SHORTEST_PASSWORD = 8  # NIST SP 800-63B
LONGEST_MINIMUM = 64
LOCAL = ("localhost", "127.0.0.1", "::1")

HTTPS = phrase("write https://")


def compile_sign_in(ctx: Context, item: Item | None) -> SignIn:
    """How people come in; as it stands in an empty manifest when nothing is said."""
    if item is None:
        return SignIn()
    password = item.get("password")
    made = SignIn(
        password=item.flag("password", True),
        min_length=number(ctx, password, "min_length", 10, SHORTEST_PASSWORD, LONGEST_MINIMUM),
        second_factor=_factor(item),
        lockout=_lockout(ctx, item.get("lockout")),
        sessions=_sessions(ctx, item.get("sessions")),
        oauth={key: _oauth(ctx, key, each) for key, each in _entries(item.get("oauth"))},
        ldap=_ldap(ctx, ldap) if (ldap := item.get("ldap")) is not None else None,
        saml={key: _saml(ctx, key, each) for key, each in _entries(item.get("saml"))},
    )
    if password is not None and not (made.takes_passwords or made.oauth or made.saml):
        hint = "name a provider under `oauth`, `ldap` or `saml`, or leave passwords on"
        ctx.problem("E219", "nobody could sign in without a password", password, hint)
    return made


def _entries(item: Item | None) -> list[tuple[str, Item]]:
    return list(item.entries()) if item is not None else []


def _factor(item: Item) -> SecondFactor:
    word: Any = item.word("second_factor", "optional")
    return word if word in ("off", "optional", "required") else "optional"


def number(ctx: Context, item: Item | None, key: str, default: int, least: int, most: int) -> int:
    found = item.get(key) if item is not None else None
    if found is None or not isinstance(found.data, int):
        return default
    if not least <= found.data <= most:
        ctx.problem("E219", phrase("{key} is between {least} and {most}", key=key, least=least, most=most), found)
        return default
    return found.data


def length_of(
    ctx: Context, item: Item | None, key: str, default: timedelta, least: timedelta, most: timedelta
) -> timedelta:
    found = item.get(key) if item is not None else None
    length = read_duration(found.text) if found is not None else None
    if found is None or length is None:
        return default
    if not least <= length <= most:
        ctx.problem(
            "E219",
            phrase("{key} is between {least} and {most}", key=key, least=_said(least), most=_said(most)),
            found,
        )
        return default
    return length


def _said(length: timedelta) -> str:
    if length.days:
        return phrase("{number} days", number=length.days)
    return phrase("{number} minutes", number=length.seconds // 60)


def _lockout(ctx: Context, item: Item | None) -> Lockout:
    known = Lockout()
    return Lockout(
        number(ctx, item, "attempts", known.attempts, 3, 100),
        length_of(ctx, item, "for", known.lasts, timedelta(minutes=1), timedelta(days=1)),
    )


def _sessions(ctx: Context, item: Item | None) -> SessionLimits:
    known, least, most = SessionLimits(), timedelta(minutes=5), timedelta(days=366)
    found = SessionLimits(
        length_of(ctx, item, "idle", known.idle, least, most),
        length_of(ctx, item, "absolute", known.absolute, least, most),
        length_of(ctx, item, "remember", known.remember, least, most),
    )
    if item is not None and found.absolute < found.idle:
        ctx.problem("E219", "`absolute` has to be longer than `idle`", item)
    return found


def _source(ctx: Context, key: str, item: Item) -> dict[str, Any]:
    """What all sources say alike; roles that there are not are told."""
    known = {*ctx.configuration.of("role"), "admin"}
    roles: dict[str, tuple[str, ...]] = {}
    for group, given in _entries(item.get("roles")):
        roles[group] = tuple(each.text for each in given.each())
        for each in given.each():
            if each.text not in known:
                ctx.unknown("role", each, known, "E313")
    defaults = item.get("default_roles")
    for each in defaults.each() if defaults is not None else ():
        if each.text not in known:
            ctx.unknown("role", each, known, "E313")
    return {
        "key": key,
        "label": item.word("label", humanize(key)),
        "register": item.flag("register"),
        "roles": roles,
        "default_roles": item.words("default_roles"),
        "sync_roles": item.flag("sync_roles"),
        "second_factor": item.word("second_factor") == "theirs",
    }


def secret(item: Item, key: str) -> str:
    found = item.get(key)
    return found.word("env") if found is not None else ""


def _named(item: Item, key: str, defaults: dict[str, str]) -> dict[str, str]:
    return {**defaults, **{name: each.text for name, each in _entries(item.get(key))}}


def _oauth(ctx: Context, key: str, item: Item) -> OAuthSource:
    plain = ("authorize_url", "token_url", "userinfo_url")
    if not item.get("issuer") and not all(item.get(name) for name in plain):
        hint = "write its `issuer`, or all of `authorize_url`, `token_url` and `userinfo_url`"
        ctx.problem("E219", phrase("'{name}' has no address", name=key), item, hint, at_key=True)
    for name in ("issuer", *plain):
        if (address := item.get(name)) is not None:
            encrypted(ctx, address)
    return OAuthSource(
        **_source(ctx, key, item),
        trust_email=item.flag("trust_email"),
        client_id=item.word("client_id"),
        secret=secret(item, "client_secret"),
        issuer=item.word("issuer").rstrip("/"),
        authorize_url=item.word("authorize_url"),
        token_url=item.word("token_url"),
        userinfo_url=item.word("userinfo_url"),
        scopes=item.words("scopes") or ("openid", "email", "profile"),
        claims=_named(item, "claims", {"subject": "sub", "email": "email", "name": "name", "groups": "groups"}),
    )


def _ldap(ctx: Context, item: Item) -> LdapSource:
    server, username = item.get("server"), item.get("username")
    if server is not None and server.text.startswith("ldap://") and not item.flag("start_tls"):
        encrypted(ctx, server, phrase("write ldaps://, or start_tls: true"))
    if username is not None and username.text.count("%s") != 1:
        ctx.problem("E219", "`username` has one %s, where the name goes", username, "such as uid=%s,ou=people,dc=acme")
    if item.get("bind_user") is not None and item.get("bind_password") is None:
        ctx.problem("E219", "`bind_user` needs its password", item, "add bind_password: {env: NAME}", at_key=True)
    defaults = {
        "user": "uid",
        "email": "mail",
        "first_name": "givenName",
        "last_name": "sn",
        "groups": "memberOf",
    }
    return LdapSource(
        **_source(ctx, "ldap", item),
        trust_email=item.flag("trust_email", True),
        server=item.word("server"),
        start_tls=item.flag("start_tls"),
        search=item.word("search"),
        filter=item.word("filter"),
        bind_user=item.word("bind_user"),
        bind_password=secret(item, "bind_password"),
        username=item.word("username"),
        attributes=_named(item, "attributes", defaults),
    )


def _saml(ctx: Context, key: str, item: Item) -> SamlSource:
    if (address := item.get("sso_url")) is not None:
        encrypted(ctx, address)
    return SamlSource(
        **_source(ctx, key, item),
        trust_email=item.flag("trust_email", True),
        entity_id=item.word("entity_id"),
        sso_url=item.word("sso_url"),
        certificate=item.word("certificate"),
        attributes=_named(item, "attributes", {"email": "email", "name": "name", "groups": "groups"}),
    )


def encrypted(ctx: Context, item: Item, hint: str = HTTPS) -> None:
    """Passwords and tokens go there: advice where anybody on the way could read them."""
    parts = urlsplit(item.text)
    if parts.scheme in ("http", "ldap") and (parts.hostname or "") not in LOCAL:
        ctx.problem("W612", phrase("what is sent to '{name}' is not encrypted", name=item.text), item, hint)
