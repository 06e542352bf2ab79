"""The shapes of `sign_in:` and `mail:` in tenant.yaml."""

from __future__ import annotations

from trellis.model.kinds.parts import (
    BOOLEAN,
    DURATION,
    INTEGER,
    NAME,
    NAME_OR_NAMES,
    NAMES,
    TEXT,
    TRACK,
    Schema,
    closed,
    either,
    mapping,
    one_of,
    with_doc,
)

ADDRESS: Schema = {
    "type": "string",
    "pattern": r"^https?://[^\s]+$",
    "x-hint": "an address such as https://example.com",
}
SECRET: Schema = {
    **closed(
        {
            "env": {
                "type": "string",
                "pattern": r"^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$",
                "x-hint": "the name of an environment variable, such as OIDC_SECRET",
            }
        },
        ("env",),
    ),
    "description": "a secret never stands in the YAML: {env: NAME} takes it from the environment variable "
    "TENANT_<SLUG>__NAME",
    "x-expected": "{env: NAME}, with the name of an environment variable",
}
_ROLES = mapping(NAME_OR_NAMES, None)
_SOURCE: dict[str, Schema] = {
    "label": with_doc(TEXT, "what the button on the sign-in page says after “Continue with”"),
    "register": with_doc(BOOLEAN, "whether somebody who is not known here becomes a person"),
    "roles": with_doc(_ROLES, "the roles that a group there gives here"),
    "default_roles": with_doc(NAMES, "the roles of somebody who is registered and in no group that is named"),
    "sync_roles": with_doc(BOOLEAN, "whether groups decide the roles at each sign-in, not at the first alone"),
    "trust_email": with_doc(BOOLEAN, "whether an e-mail address that the source names is believed"),
    "second_factor": with_doc(one_of("ours", "theirs"), "theirs: the source has asked for one, Trellis does not"),
}


def _names(*keys: str) -> Schema:
    return closed(dict.fromkeys(keys, NAME))


def sign_in() -> Schema:
    """How people come in."""
    oauth = closed(
        {
            **_SOURCE,
            "issuer": with_doc(ADDRESS, "an OpenID Connect provider; its other addresses are asked for there"),
            "authorize_url": ADDRESS,
            "token_url": ADDRESS,
            "userinfo_url": ADDRESS,
            "client_id": NAME,
            "client_secret": SECRET,
            "scopes": NAMES,
            "claims": _names("subject", "email", "name", "groups"),
        },
        ("client_id", "client_secret"),
    )
    ldap = closed(
        {
            **_SOURCE,
            "server": {"type": "string", "pattern": r"^ldaps?://[^\s]+$", "x-hint": "such as ldaps://ldap.example.com"},
            "start_tls": BOOLEAN,
            "search": with_doc(NAME, "where people are: ou=people,dc=example,dc=com"),
            "filter": with_doc(NAME, "who counts: (objectClass=person)"),
            "bind_user": with_doc(NAME, "who may search, when people may not"),
            "bind_password": SECRET,
            "username": with_doc(NAME, "how a name becomes the one to bind with: uid=%s,ou=people,dc=example,dc=com"),
            "attributes": _names("user", "email", "first_name", "last_name", "groups"),
        },
        ("server", "search"),
    )
    saml = closed(
        {
            **_SOURCE,
            "entity_id": with_doc(NAME, "what the provider calls itself"),
            "sso_url": ADDRESS,
            "certificate": with_doc(NAME, "the certificate that the provider signs with"),
            "attributes": _names("email", "name", "groups"),
        },
        ("entity_id", "sso_url", "certificate"),
    )
    return closed(
        {
            "password": either(BOOLEAN, closed({"min_length": INTEGER})),
            "second_factor": with_doc(one_of("off", "optional", "required"), "codes from an app, beside the password"),
            "lockout": with_doc(
                closed({"attempts": INTEGER, "for": DURATION}), "when guessing at an account is stopped, and how long"
            ),
            "sessions": with_doc(
                closed(dict.fromkeys(("idle", "absolute", "remember"), DURATION)),
                "when one is signed out: unused, at the latest, and with “Stay signed in”",
            ),
            "oauth": mapping(oauth),
            "ldap": ldap,
            "saml": mapping(saml),
        }
    )


def mail() -> Schema:
    """The servers that mail goes out and comes in by."""
    security = with_doc(one_of("starttls", "tls", "none"), "how the way to the server is encrypted")
    tokens = closed(
        {
            "token_url": with_doc(ADDRESS, "where tokens are given out"),
            "client_id": NAME,
            "client_secret": SECRET,
            "refresh_token": SECRET,
            "scope": NAME,
        },
        ("token_url", "client_id"),
    )
    oauth2 = with_doc(tokens, "a token instead of a password, as Google and Microsoft want it")
    incoming = closed(
        {
            "server": NAME,
            "port": INTEGER,
            "security": security,
            "user": NAME,
            "password": SECRET,
            "oauth2": oauth2,
            "folder": with_doc(NAME, "the folder that is read: INBOX"),
            "every": with_doc(DURATION, "how often it is looked into: 2 minutes"),
        },
        ("server",),
    )
    account: dict[str, Schema] = {
        "server": NAME,
        "port": INTEGER,
        "security": security,
        "user": NAME,
        "password": SECRET,
        "oauth2": oauth2,
        "from": with_doc(NAME, "the sender: Acme <crm@acme.example>"),
        "reply_to": NAME,
        "rate": with_doc(INTEGER, "how many letters go out in a minute at most"),
        "track": with_doc(
            TRACK, "note that letters are opened and links followed; false: never, whatever a template says"
        ),
        "reply_tokens": with_doc(
            BOOLEAN, "answers arrive at crm+token@…, which names the letter; the mailbox has to take such addresses"
        ),
        "incoming": incoming,
    }
    further = with_doc(mapping(closed(account, ("from",))), "further ones, by key; the server is the first one's")
    return closed({**account, "accounts": further}, ("server", "from"))


def messages() -> Schema:
    """The ways that short messages go out by."""
    way = closed(
        {
            "adapter": with_doc(NAME, "how the gateway is spoken to: http, twilio, slack, …"),
            "url": with_doc(ADDRESS, "where messages are sent to"),
            "secret": SECRET,
            "user": NAME,
            "from": NAME,
            "rate": with_doc(INTEGER, "how many go out in a minute at most"),
            "quiet_hours": with_doc(NAME, "when nothing goes out, in the tenant's time zone: 21:00-08:00"),
            "incoming": with_doc(
                closed({"secret": SECRET}, ("secret",)), "answers are taken at /messages/sms, signed with this secret"
            ),
        },
        ("adapter",),
    )
    return closed({"sms": way, "chat": way})
