"""Who wants no more: addresses that have opted out, or that nothing reaches. Kept as hashes; records are told."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from trellis.automation.clock import now
from trellis.formula.texts import lower as lower_text
from trellis.model import matching
from trellis.model.sealing import seal, unseal
from trellis.records.refusal import Forbidden, Missing, Refused
from trellis.storage.matching import normal
from trellis.storage.names import short

if TYPE_CHECKING:
    from trellis.model.entity import Entity
    from trellis.model.field import Field
    from trellis.records.store import Store
    from trellis.storage.tenant import Tenant

Channel = Literal["email", "sms", "chat"]
Reason = Literal["opted_out", "bounced"]
FIELD_TYPES: Mapping[str, str] = {"email": "email", "sms": "phone"}
NO_MORE = frozenset({"no_email", "email_opt_out", "opted_out"})  # fields that become true by opting out of mail
AGREED = frozenset({"consent", "marketing_consent"})  # and those that become false
NO_SMS = frozenset({"no_sms", "sms_opt_out", "opted_out"})
MOST = 50  # records of one address


def suppress(
    connection: sa.Connection, tenant: Tenant, channel: Channel, address: str, reason: Reason, source: str = ""
) -> bool:
    """Send nothing to an address any more; whether that is new."""
    table = tenant.tables.platform.suppressed
    row = {"channel": channel, "address": hash_of(address), "reason": reason, "at": now(), "source": source[:200]}
    made = insert(table).values(**row).on_conflict_do_nothing().returning(table.c.at)
    return connection.execute(made).first() is not None


def allow(connection: sa.Connection, tenant: Tenant, channel: Channel, address: str) -> None:
    """Let an address be written to again."""
    table = tenant.tables.platform.suppressed
    connection.execute(sa.delete(table).where(table.c.channel == channel, table.c.address == hash_of(address)))


def suppressed(
    connection: sa.Connection, tenant: Tenant, channel: Channel, addresses: Iterable[str]
) -> dict[str, frozenset[str]]:
    """Why each of the addresses gets nothing; those that do are left out."""
    table = tenant.tables.platform.suppressed
    by_hash = {hash_of(address): address for address in addresses}
    if not by_hash:
        return {}
    statement = sa.select(table.c.address, table.c.reason)
    found: dict[str, set[str]] = {}
    rows = connection.execute(statement.where(table.c.channel == channel, table.c.address.in_(by_hash)))
    for hashed, reason in rows:
        found.setdefault(by_hash[hashed], set()).add(reason)
    return {address: frozenset(reasons) for address, reasons in found.items()}


def hash_of(address: str) -> str:
    """What is kept of an address."""
    return hashlib.sha256(address.strip().lower().encode()).hexdigest()


def token_of(tenant: Tenant, channel: Channel, address: str, source: str = "") -> str:
    """What stands in the link that opts out: whose address it is can only be read here."""
    return seal(orjson.dumps([tenant.slug, channel, address, source]).decode()).removeprefix("sealed:")


def read_token(tenant: Tenant, token: str) -> tuple[Channel, str, str] | None:
    """Channel, address and source of a link; None for one that is none of ours."""
    try:
        slug, channel, address, source = orjson.loads(unseal(token))
    except (ValueError, TypeError):
        return None
    return (channel, str(address), str(source)) if slug == tenant.slug else None


def mark_records(store: Store, channel: Channel, address: str, reason: Reason) -> int:
    """Tell the records that hold the address, by the door; how many. What cannot be saved stays as it is."""
    done = 0
    for entity, id, values in list(_marked(store, channel, address, reason)):
        try:
            store.change(entity, id, values, means="mail")
            done += 1
        except (Refused, Missing, Forbidden):
            continue
    return done


def mark_back(store: Store, channel: Channel, address: str) -> int:
    """Tell the records that hold the address that its owner wants to hear again by this channel; how many.

    Who takes back having opted out of mail agrees to it once more; a word by SMS agrees to nothing else.
    """
    done, is_mail = 0, channel == "email"
    for entity in store.tenant.model.entities.values():
        if entity.internal or entity.part_of or entity.key == "email_message":
            continue
        named = {key: False for key in entity.fields if key in (NO_MORE if is_mail else NO_SMS - {"opted_out"})}
        named |= {key: True for key in entity.fields if key in AGREED and is_mail}
        flags = {k: v for k, v in named.items() if entity.fields[k].type.name == "boolean"}
        for name, field in entity.fields.items():
            several = bool(getattr(field.type, "multiple", False))
            if field.type.name != FIELD_TYPES.get(channel) or field.is_derived or not (several or flags):
                continue
            for id in holders(store, entity.key, name, address):
                values: dict[str, Any] = dict(flags)
                if several:
                    held = store.read(entity.key, id, fields=[name])[name] or ()
                    mine = address.lower()
                    values[name] = [
                        {**one, "opted_out": False} if one["value"].lower() == mine else dict(one) for one in held
                    ]
                try:
                    store.change(entity.key, id, values, means="mail")
                    done += 1
                except (Refused, Missing, Forbidden):
                    continue
    return done


def _marked(store: Store, channel: Channel, address: str, reason: Reason) -> Iterator[tuple[str, UUID, dict[str, Any]]]:
    kind = FIELD_TYPES.get(channel)
    for entity in store.tenant.model.entities.values():
        if entity.internal or entity.part_of or entity.key == "email_message":
            continue
        flags = _flags(entity, channel, reason)
        for name, field in entity.fields.items():
            several = bool(getattr(field.type, "multiple", False))
            if field.type.name != kind or field.is_derived or not (several or flags):
                continue
            for id in holders(store, entity.key, name, address):
                values: dict[str, Any] = dict(flags)
                if several:
                    held = store.read(entity.key, id, fields=[name])[name] or ()
                    mark = "opted_out" if reason == "opted_out" else "invalid"
                    values[name] = [
                        {**one, mark: True} if one["value"].lower() == address.lower() else dict(one) for one in held
                    ]
                yield entity.key, id, values


def _flags(entity: Entity, channel: Channel, reason: Reason) -> dict[str, bool]:
    """The yes-or-no fields by their names; only opting out is somebody's wish."""
    if reason != "opted_out":
        return {}
    wishes = NO_MORE if channel == "email" else NO_SMS
    named = {key: True for key in entity.fields if key in wishes}
    named |= {key: False for key in entity.fields if key in AGREED}
    return {k: v for k, v in named.items() if entity.fields[k].type.name == "boolean" and entity.fields[k].is_writable}


def said_by(store: Store, channel: Channel, address: str, names: frozenset[str]) -> Iterator[dict[str, bool | None]]:
    """What the records that hold an address say in yes-or-no fields of some names."""
    kind = FIELD_TYPES.get(channel)
    for entity in store.tenant.model.entities.values():
        flags = [key for key in sorted(names & entity.fields.keys()) if entity.fields[key].type.name == "boolean"]
        if not flags or entity.internal or entity.part_of:
            continue
        for name, field in entity.fields.items():
            if field.type.name == kind and not field.is_derived:
                for id in holders(store, entity.key, name, address):
                    record = store.read(entity.key, id, fields=flags)
                    yield {key: record[key] for key in flags}


def wants_none(store: Store, channel: Channel, address: str) -> bool:
    """Whether a record that holds an address says that its owner wants nothing by this channel."""
    wishes = NO_MORE if channel == "email" else NO_SMS
    return any(value is True for said in said_by(store, channel, address, wishes) for value in said.values())


def _compared(field: Field, address: str) -> str:
    """An address as it is compared."""
    return lower_text(address)[: matching.LONGEST] if field.type.name == "email" else address


def holders(store: Store, entity: str, field: str, address: str) -> list[UUID]:
    """The live records that hold an address in a field, the newest first."""
    with store.transaction():
        table = store.session.table(entity)
        definition = store.tenant.model.entities[entity].fields[field]
        return list(store.session.execute(held_in(table, definition, address)).scalars())


def held_in(table: sa.Table, field: Field, address: str) -> sa.Select[tuple[UUID]]:
    """Asks for them as duplicates are found: there is an index of that."""
    same: sa.ColumnElement[bool] = normal(field, table.c[short(field.key)]) == _compared(field, address)
    if getattr(field.type, "multiple", False) and (every := table.c.get(short(f"{field.key}_all"))) is not None:
        same = sa.or_(same, every.contains([{"value": address}]))
    found = sa.select(table.c.id).where(same, table.c.deleted_at.is_(None))
    return found.order_by(table.c.id.desc()).limit(MOST)
