"""Writing an entry: what kinds there are, who acts, and what is never written."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from trellis.storage.audit.chain import digest_of

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from trellis.storage.tenant import Tenant

SECRET = re.compile(r"pass(word)?$|secret|token|authorization|cookie|digest|otp|recovery", re.IGNORECASE)
LONGEST = 500  # letters of a text in the details
MOST = 50  # of a list, of a mapping
HIDDEN = "…"


GROUPS: dict[str, tuple[str, ...]] = {
    "sign-in": (
        "succeeded",
        "failed",
        "locked",
        "unlocked",
        "ended",
        "ended-by-other",
    ),
    "credential": (
        "password-changed",
        "password-link",
        "factor-added",
        "factor-removed",
        "factor-failed",
        "codes-made",
        "code-used",
    ),
    "person": (
        "created",
        "changed",
        "roles-changed",
        "disabled",
        "enabled",
        "invited",
        "registered",
        "linked",
        "unlinked",
        "deleted",
        "restored",
        "purged",
    ),
    "role": ("changed",),
    "key": (
        "created",
        "rotated",
        "revoked",
    ),
    "configuration": (
        "applied",
        "rolled-back",
    ),
    "data": (
        "exported",
        "imported",
        "deleted",
        "restored",
        "changed",
        "undone",
        "purged",
        "merged",
        "unmerged",
    ),
    "sharing": (
        "granted",
        "revoked",
        "changed",
    ),
    "webhook": (
        "created",
        "changed",
        "deleted",
        "rotated",
        "disabled",
    ),
    "privacy": (
        "exported",
        "erased",
        "held",
        "released",
        "restricted",
        "unrestricted",
    ),
    "assistant": ("wrote",),
    "automation": (
        "paused",
        "resumed",
        "run-paused",
        "run-resumed",
        "run-cancelled",
        "run-repeated",
        "entry-dropped",
    ),
    "company": (
        "created",
        "suspended",
        "resumed",
        "backed-up",
        "restored",
        "log-exported",
        "dashboard-arranged",
    ),
}
"""What is told, by what the page filters by. Its words are the pages' own (web/audit_words.py)."""

KINDS = frozenset(f"{group}.{name}" for group, names in GROUPS.items() for name in names)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, by what means, and from where."""

    by: UUID | None = None
    by_name: str | None = None
    means: str = "system"
    address: str | None = None
    request: str | None = None


# who acts in this thread of work: a request's app and a command say it; asked only when something is written
acting: ContextVar[Callable[[], Actor] | None] = ContextVar("acting", default=None)


def actor() -> Actor:
    """Who acts now; the platform itself when nobody has said."""
    tell = acting.get()
    return tell() if tell is not None else Actor()


def note(
    connection: Connection,
    tenant: Tenant | sa.Table,
    kind: str,
    *,
    by: Actor | None = None,
    entity: str | None = None,
    record: UUID | None = None,
    label: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Write an entry in an open transaction of the tenant: `note(connection, tenant, "sign-in.failed", label=email)`.

    `entity` and `record` say on what, `label` what it was called, `details` whatever else is worth knowing: never a
    secret. A value whose name says that it is one is blanked. Whoever records a refusal must do so in a transaction
    that is not rolled back with it.
    """
    if kind not in KINDS:
        raise ValueError(f"no such kind of audit entry: {kind}")
    table = tenant if isinstance(tenant, sa.Table) else tenant.tables.platform.audit
    who = by or actor()
    label = None if label is None else _cut(label)
    told = canonical(details) if details else None
    salt = secrets.token_hex(8)
    connection.execute(
        sa.insert(table),
        {
            "kind": kind,
            "by": who.by,
            "by_name": _clean(who.by_name),
            "means": who.means,
            "address": _clean(who.address),
            "request": _clean(who.request),
            "entity": entity,
            "record": record,
            "label": label,
            "details": told,
            "salt": salt,
            "digest": digest_of(salt, label, told),
        },
    )


def canonical(details: Mapping[str, Any]) -> str:
    """Details as JSON that is always written the same way, without secrets and without what is endless."""
    return json.dumps(_plain(details), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            _cut(str(k)): HIDDEN if SECRET.search(str(k)) and v not in (None, True, False) else _plain(v)
            for k, v in list(value.items())[:MOST]
        }
    if isinstance(value, (list, tuple, set, frozenset)):
        listed = sorted(value, key=str) if isinstance(value, (set, frozenset)) else list(value)
        if all(type(v) is int for v in listed):
            return listed  # the numbers of entries: an erasure names all of them
        return [_plain(v) for v in listed[:MOST]] + ([f"+{len(listed) - MOST}"] if len(listed) > MOST else [])
    if value is None or isinstance(value, (bool, int)):
        return value
    return _cut(str(value))


def _cut(text: str) -> str:
    text = text.replace("\0", "")
    return text if len(text) <= LONGEST else text[:LONGEST] + HIDDEN


def _clean(text: str | None) -> str | None:
    return None if text is None else _cut(text)
