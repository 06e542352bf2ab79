"""Drafts into rows: inserts and updates of one entity's table, many rows in one statement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa
from psycopg.errors import ForeignKeyViolation, UniqueViolation
from sqlalchemy.exc import IntegrityError

from trellis.formula.reader import Reader
from trellis.model.field import Field
from trellis.model.model import Model
from trellis.records.access.permit import Permit
from trellis.records.draft import Draft
from trellis.records.kept import kept
from trellis.records.pools.which import pools_of
from trellis.records.principal import Principal
from trellis.records.reading import search
from trellis.records.refusal import Refused
from trellis.records.writing.unique import race_fault
from trellis.storage.names import short
from trellis.storage.ordering import ORDER, order_of, ordered_field

if TYPE_CHECKING:
    from trellis.records.session import Session


def insert(session: Session, drafts: Sequence[Draft]) -> None:
    """Insert new records of one entity."""
    if not drafts:
        return
    entity = drafts[0].entity
    table = session.table(entity.key)
    rows = [{**_values(draft), **_system(session, draft)} for draft in drafts]
    with refusing_races(session, drafts):
        session.execute(sa.insert(table), rows)


def update(session: Session, draft: Draft, changed: Sequence[str]) -> None:
    """Write the changed fields of one record and count its version up."""
    update_all(session, [(draft, changed)])


def update_all(session: Session, changes: Sequence[tuple[Draft, Sequence[str]]]) -> None:
    """The same of many records; those of one entity in which the same columns change go in one statement."""
    alike: dict[tuple[str, tuple[str, ...]], list[tuple[Draft, dict[str, Any]]]] = defaultdict(list)
    for draft, changed in changes:
        values = _changed_values(draft, changed)
        alike[draft.entity.key, tuple(sorted(values))].append((draft, values))
    for (entity, _columns), some in alike.items():
        table = session.table(entity)
        touched = {"updated_at": session.reader.now, "updated_by": session.principal.id}
        statement = sa.update(table).where(table.c.id == sa.bindparam("_row", type_=sa.Uuid()))
        rows = [{**values, **touched, "_row": draft.record.id} for draft, values in some]
        with refusing_races(session, [draft for draft, _ in some]):
            session.execute(statement.values(version=table.c.version + 1), rows if len(rows) > 1 else rows[0])


def _changed_values(draft: Draft, changed: Sequence[str]) -> dict[str, Any]:
    """What an update writes, by column name."""
    values = _values(draft, set(changed))
    if any(f.key in changed or f.is_derived for f in draft.entity.search_fields()):
        values["search"] = search_vector(draft)
    if (titled := ordered_field(draft.entity)) is not None and titled.key in changed:
        values[ORDER] = order_of(titled, draft.value(titled.key))
    return values


def _values(draft: Draft, only: set[str] | None = None) -> dict[str, Any]:
    """Column values by column name."""
    row: dict[str, Any] = {}
    for field in draft.stored_fields():
        if only is None or field.key in only:
            for suffix, value in field.type.to_columns(draft.value(field.key)).items():
                row[short(field.key + suffix)] = value
    return row


def _system(session: Session, draft: Draft) -> dict[str, Any]:
    me, now = session.principal.id, session.reader.now
    row: dict[str, Any] = {
        "id": draft.record.id,
        "created_at": draft.value("created_at") or now,
        "created_by": ref.id if (ref := draft.value("created_by")) is not None else me,
        "updated_at": draft.value("updated_at") or draft.value("created_at") or now,
        "updated_by": me,
    }
    if draft.entity.search_fields():
        row["search"] = search_vector(draft)
    if (titled := ordered_field(draft.entity)) is not None:
        row[ORDER] = order_of(titled, draft.value(titled.key))
    return row


def search_vector(draft: Draft) -> str:
    """The `search` column's value: words of fields that some role conceals are marked as such."""
    concealed = concealed_fields(draft.record.graph.session.model, draft.entity.key)
    fields = draft.entity.search_fields()
    if not any(f.key in concealed for f in fields):
        return search.vector_text(search.tokens(t for f in fields for t in _texts(draft, f)))
    open_ = search.tokens(t for f in fields if f.key not in concealed for t in _texts(draft, f))
    return search.vector_text(open_, search.tokens(t for f in fields if f.key in concealed for t in _texts(draft, f)))


def concealed_fields(model: Model, entity: str) -> frozenset[str]:
    """The fields that some role hides or masks, and the searched links to records that some role may not read."""
    return cast("frozenset[str]", kept((model.hash, "concealed", entity), lambda: _concealed(model, entity)))


def _concealed(model: Model, entity: str) -> frozenset[str]:
    found: set[str] = {name for pool in pools_of(model).of.get(entity, ()) for name in pool.hide}
    for role in model.roles.values():
        grant = role.grants.get(entity) or role.grants.get("*")
        if grant is None:
            continue
        found.update(name for name, mode in grant.fields.items() if mode in ("hidden", "masked"))
        if grant.level("read").kind != "none":
            person = Principal(Reader(roles=frozenset({role.key})), roles=frozenset({role.key}))
            permit = Permit(model, person)
            found.update(f.key for f in model.entities[entity].search_fields() if not permit.names_freely(f))
    return frozenset(found)


def _texts(draft: Draft, field: Field) -> list[str]:
    """What the record is found by because of one field; links by the titles of what they point to."""
    graph = draft.record.graph
    kind = field.type.formula_type().kind
    value = draft.record.value(field.key)
    if value is None:
        return []
    if kind == "record":
        return [graph.title(value) or ""]
    if kind == "records":
        return [graph.title(ref) or "" for ref in value]
    return [field.type.search_text(value)]


class refusing_races:
    """Turn what another writer did at the same moment into a refusal: the same unique value, a target deleted."""

    def __init__(self, session: Session, drafts: Sequence[Draft]) -> None:
        self.session = session
        self.drafts = drafts

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, IntegrityError):
            return
        if isinstance(error.orig, UniqueViolation):
            raise Refused([race_fault(self.session, self.drafts, error.orig)]) from error
        if isinstance(error.orig, ForeignKeyViolation):
            from trellis.records.refusal import Fault

            raise Refused([Fault("link", "A linked record is no longer there.", None)]) from error
