"""That letters are opened and their links followed: noted where the company says so and the person does not mind.

A letter that is traced has a token by chance, which stands in its picture and its links. Where a link leads is kept
here: an address says no more than its number. Of who asks for one nothing is kept, neither address nor program.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import orjson
import sqlalchemy as sa
from uuid_utils.compat import uuid4

from trellis.automation.clock import now
from trellis.automation.mail import kept, optouts, places
from trellis.automation.mail.letter import Trace
from trellis.model.sealing import seal, unseal
from trellis.records.refusal import Missing, Refused

if TYPE_CHECKING:
    from trellis.automation.mail.letter import Letter
    from trellis.model.tracking import Tracking
    from trellis.records.store import Store
    from trellis.storage.tenant import Tenant

Kind = Literal["open", "click"]
PATH = "m"  # below the tenant's address
AT_ONCE = timedelta(seconds=10)  # after a letter was handed over no person has read it yet
SAME = timedelta(minutes=10)  # a letter that is shown again within it is not opened once more
APART = timedelta(seconds=2)  # who follows two links in less looks through all of them
MOST = 300  # lines of one letter: who has its token cannot fill the database
KEPT = timedelta(days=730)  # how long links in letters lead on
REFUSES = frozenset({"do_not_track", "no_tracking"})  # fields of a person that say no
_TOKEN = re.compile(r"[0-9a-f]{32}")
_MACHINES = re.compile(
    r"bot\b|crawl|spider|slurp|scan|preview|monitor|curl|wget|python|java/|okhttp|go-http|libwww|headless|phantom"
    r"|barracuda|proofpoint|mimecast|fireeye|symantec|trendmicro|sophos|forcepoint|ironport|safelinks|bitdefender"
    r"|microsoft office existence|yahoomailproxy",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Seen:
    """How often a letter was opened and its links followed, by people; and by machines."""

    opens: int = 0
    clicks: int = 0
    machines: int = 0
    opened_at: datetime | None = None
    clicked_at: datetime | None = None


def trace_of(store: Store, letter: Letter, address: str, wanted: Tracking) -> Trace | None:
    """What a letter to an address carries; None where nothing is to be noted, or the person minds."""
    base = places.address_of(store.tenant)
    links = letter.links if wanted.clicks else ()
    if not base or not (wanted.opens or links) or _minds(store, address):
        return None
    token = uuid4().hex
    where = f"{base}/{PATH}/{token}"
    return Trace(token, f"{where}.gif" if wanted.opens else "", where if links else "", links)


def keep(
    connection: sa.Connection,
    tenant: Tenant,
    trace: Trace,
    mail: UUID,
    message: UUID,
    workflow: str = "",
    place: str = "",
) -> None:
    """Note a letter that goes out with a trace."""
    row = {"token": trace.token, "mail": mail, "message": message, "workflow": workflow, "place": place, "at": now()}
    links = seal(orjson.dumps(list(trace.links)).decode()) if trace.links else None
    connection.execute(sa.insert(tenant.tables.platform.mail_trace).values(**row, links=links))


def target_of(tenant: Tenant, token: str, number: int) -> str | None:
    """Where a link of a letter leads; None for one that we have not written."""
    row = _row(tenant, token)
    if row is None or row.links is None:
        return None
    try:
        links = orjson.loads(unseal(row.links))
    except ValueError:  # sealed with another installation's key
        return None
    return str(links[number]) if 0 <= number < len(links) else None


def note(store: Store, token: str, kind: Kind, link: int | None, agent: str, headers: Mapping[str, str]) -> bool:
    """Note that a letter was opened or a link of it followed, unless who asks minds; whether it is a letter of ours.

    `headers`: those of the request, their names in small letters.
    """
    tenant = store.tenant
    row = _row(tenant, token)
    if row is None:
        return False
    if headers.get("dnt") == "1" or headers.get("sec-gpc") == "1":
        return True
    table = tenant.tables.platform.mail_seen
    with store.transaction() as connection:
        mine = sa.select(table).where(table.c.token == token)
        lines = connection.execute(mine.order_by(table.c.id).limit(MOST)).all()
        machine = _machine(row.sent_at, agent, headers)
        if kind == "click" and (hasty := _hasty(lines, link)):
            machine = machine or "hasty"
            connection.execute(sa.update(table).where(table.c.id.in_(hasty)).values(machine="hasty"))
        again = kind == "open" and any(
            line.kind == "open" and (line.machine is None) == (machine is None) and line.at > now() - SAME
            for line in lines
        )
        if len(lines) >= MOST or again:
            return True
        said = {"token": token, "kind": kind, "at": now(), "machine": machine, "link": link}
        connection.execute(sa.insert(table).values(**said))
        if row.message is not None:
            _tell(store, connection, row.message)
    return True


def seen(connection: sa.Connection, tenant: Tenant, messages: Collection[UUID]) -> dict[UUID, Seen]:
    """What has become of letters, by the record that keeps them; those that nothing is noted of are left out."""
    trace = tenant.tables.platform.mail_trace
    found = _counted(connection, tenant, trace.c.message, trace.c.message.in_(list(messages)))
    return {message: one for message, one in found.items() if message is not None}


def by_step(connection: sa.Connection, tenant: Tenant, workflow: str) -> dict[str, tuple[int, int, int]]:
    """By the place of a workflow's step: how many traced letters went out, were opened, had a link followed."""
    trace, table = tenant.tables.platform.mail_trace, tenant.tables.platform.mail_seen
    person = table.c.machine.is_(None)
    statement = (
        sa.select(
            trace.c.place,
            sa.func.count(sa.distinct(trace.c.token)),
            sa.func.count(sa.distinct(table.c.token)).filter(person),
            sa.func.count(sa.distinct(table.c.token)).filter(person, table.c.kind == "click"),
        )
        .select_from(trace.outerjoin(table, table.c.token == trace.c.token))
        .where(trace.c.workflow == workflow)
        .group_by(trace.c.place)
    )
    return {place: (sent, opened, clicked) for place, sent, opened, clicked in connection.execute(statement)}


def forget(connection: sa.Connection, tenant: Tenant) -> None:
    """Forget letters of long ago: their links lead nowhere any more."""
    trace, table = tenant.tables.platform.mail_trace, tenant.tables.platform.mail_seen
    old = sa.select(trace.c.token).where(trace.c.at < now() - KEPT)
    connection.execute(sa.delete(table).where(table.c.token.in_(old)))
    connection.execute(sa.delete(trace).where(trace.c.at < now() - KEPT))


def _counted(connection: sa.Connection, tenant: Tenant, by: Any, where: Any) -> dict[Any, Seen]:
    trace, table = tenant.tables.platform.mail_trace, tenant.tables.platform.mail_seen
    person = table.c.machine.is_(None)
    opened, clicked = sa.and_(person, table.c.kind == "open"), sa.and_(person, table.c.kind == "click")
    statement = (
        sa.select(
            by,
            sa.func.count().filter(opened),
            sa.func.count().filter(clicked),
            sa.func.count().filter(table.c.machine.is_not(None)),
            sa.func.min(table.c.at).filter(person),  # whoever follows a link has opened the letter
            sa.func.min(table.c.at).filter(clicked),
        )
        .join(trace, trace.c.token == table.c.token)
        .where(where)
        .group_by(by)
    )
    found = {}
    for key, opens, clicks, machines, first, followed in connection.execute(statement):
        found[key] = Seen(max(opens, 1 if clicks else 0), clicks, machines, first, followed)
    return found


def _tell(store: Store, connection: sa.Connection, message: UUID) -> None:
    """Tell the letter's record, so that formulas, reports and workflows know."""
    if not kept.is_kept(store.tenant.model):
        return
    one = seen(connection, store.tenant, [message]).get(message, Seen())
    values: dict[str, Any] = {
        "opens": one.opens,
        "clicks": one.clicks,
        "opened_at": one.opened_at,
        "clicked_at": one.clicked_at,
    }
    fields = store.tenant.model.entities[kept.ENTITY].fields
    known = {key: value for key, value in values.items() if key in fields}
    if not known:
        return
    try:
        with connection.begin_nested():
            store.change(kept.ENTITY, message, known, means=kept.MEANS)
    except (Missing, Refused):
        return  # it was deleted meanwhile


def _row(tenant: Tenant, token: str) -> Any:
    if not _TOKEN.fullmatch(token):
        return None
    trace, mail = tenant.tables.platform.mail_trace, tenant.tables.platform.mail
    statement = sa.select(trace, mail.c.sent_at).select_from(trace.outerjoin(mail, mail.c.id == trace.c.mail))
    with tenant.begin() as connection:
        return connection.execute(statement.where(trace.c.token == token)).first()


def _machine(sent_at: datetime | None, agent: str, headers: Mapping[str, str]) -> str | None:
    """Why no person has done it: a scanner of links, or a mail program's server that loads pictures beforehand."""
    if sent_at is None or now() - sent_at < AT_ONCE:
        return "at once"
    purposes = (headers.get(name, "").lower() for name in ("purpose", "sec-purpose", "x-purpose", "x-moz"))
    if any("prefetch" in said or "preview" in said for said in purposes):
        return "prefetch"
    words = agent.strip()
    if not words or words == "Mozilla/5.0" or _MACHINES.search(words):  # the second is Apple's Mail Privacy Protection
        return "program"
    return None


def _hasty(lines: Collection[Any], link: int | None) -> list[int]:
    """The clicks of a moment ago on other links of the letter."""
    return [line.id for line in lines if line.kind == "click" and line.link != link and line.at > now() - APART]


def _minds(store: Store, address: str) -> bool:
    """Whether who has the address wants no letters, has not agreed to any, or has said no to this."""
    with store.transaction() as connection:
        if optouts.suppressed(connection, store.tenant, "email", [address]):
            return True
    return any(
        values.get(name) is not None and values[name] is not (name in optouts.AGREED)
        for values in optouts.said_by(store, "email", address, optouts.NO_MORE | optouts.AGREED | REFUSES)
        for name in values
    )
