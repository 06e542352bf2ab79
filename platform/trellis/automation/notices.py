"""The notice centre: what people are told, and what they have read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from trellis.automation.channels import Recipient, recipients
from trellis.automation.clock import now
from trellis.automation.live import call
from trellis.automation.mail.account import is_set_up
from trellis.automation.noticing import send

if TYPE_CHECKING:
    from trellis.formula.types import Ref
    from trellis.storage.tenant import Tenant

LONGEST = 2000


def tell(
    connection: sa.Connection,
    tenant: Tenant,
    people: Sequence[UUID],
    text: str | Callable[[Recipient], str],
    *,
    kind: str,
    about: Ref | None = None,
    address: str | None = None,
    via: Collection[str] = (),
    button: Mapping[UUID, str] | None = None,
) -> None:
    """Tell people, each in the way that they have chosen for the kind; who has turned it off hears nothing.

    `text` may be made for each of them, in their language.
    `via` (app, email) says the ways instead. `button` is a link of each person's own for the letter.
    """
    moment, rows, heard, has_mail = now(), [], [], is_set_up(tenant)
    for person in recipients(connection, tenant, people):
        choice = person.choice(kind)
        if choice.is_off:
            continue
        app = "app" in via if via else choice.app
        mail = ("now" if "email" in via else "no") if via else choice.mail
        if not (has_mail and person.email):  # what no letter can bring stands here, so that nobody misses it
            app, mail = True, "no"
        id = uuid7()
        said = text if isinstance(text, str) else text(person)
        row = {
            "id": id,
            "user": person.id,
            "at": moment,
            "kind": kind,
            "text": said[:LONGEST],
            "entity": about.entity if about is not None else None,
            "record": about.id if about is not None else None,
            "address": address,
            "in_app": app,
            "digest": mail == "daily",
        }
        if mail == "now":
            send(connection, tenant, person, row, (button or {}).get(person.id))
        if app or mail != "no":  # a letter leads to what it is about by its notice
            rows.append(row)
        if app:
            heard.append(person.id)
    if rows:
        connection.execute(sa.insert(tenant.tables.platform.notice), rows)
    call(connection, tenant, heard)


def settle(connection: sa.Connection, tenant: Tenant, user: UUID, text: str, *, kind: str) -> None:
    """What a person was told, with or without a word before it, is dealt with: it need not be read any more."""
    table = tenant.tables.platform.notice
    same = sa.or_(table.c.text == text[:LONGEST], table.c.text.endswith(f": {text[:LONGEST]}", autoescape=True))
    mine = table.c.user == user, table.c.kind == kind, same, table.c.read_at.is_(None)
    connection.execute(sa.update(table).where(*mine).values(read_at=now(), digest=False))
    call(connection, tenant, [user])


def notices(
    connection: sa.Connection, tenant: Tenant, user: UUID, *, limit: int = 30, before: UUID | None = None
) -> Sequence[sa.RowMapping]:
    """A person's notices, the newest first."""
    table = tenant.tables.platform.notice
    statement = sa.select(table).where(table.c.user == user, table.c.in_app).order_by(table.c.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(table.c.id < before)
    return connection.execute(statement).mappings().all()


def unread(connection: sa.Connection, tenant: Tenant, user: UUID, cap: int = 100) -> int:
    """How many notices a person has not read, up to the cap."""
    table = tenant.tables.platform.notice
    found = (
        sa.select(sa.literal(1))
        .where(table.c.user == user, table.c.read_at.is_(None), table.c.in_app)
        .limit(cap)
        .subquery()
    )
    return int(connection.execute(sa.select(sa.func.count()).select_from(found)).scalar_one())


def read(connection: sa.Connection, tenant: Tenant, user: UUID, id: UUID | None = None) -> Any:
    """Mark one of a person's notices, or all of them, as read; where the one leads."""
    table = tenant.tables.platform.notice
    statement = (
        sa.update(table).where(table.c.user == user, table.c.read_at.is_(None)).values(read_at=now(), digest=False)
    )
    call(connection, tenant, [user])  # the person's other windows count anew
    if id is not None:
        connection.execute(statement.where(table.c.id == id))
        found = sa.select(table).where(table.c.user == user, table.c.id == id)
        return connection.execute(found).mappings().first()
    connection.execute(statement)
    return None
