"""The door: every reading and writing of records goes through a Store."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from trellis.formula.formula import Formula
from trellis.formula.types import Ref, Value
from trellis.model.view import Sort
from trellis.records import auditing
from trellis.records.access import rights
from trellis.records.access.explain import Explanation, explain
from trellis.records.conversion import convert, converting
from trellis.records.hooks import Hooks
from trellis.records.merging import duplicates, hanging, lookup, merge, undo
from trellis.records.merging.lookup import Merge
from trellis.records.principal import Principal
from trellis.records.reading import filtering, forms, gather, months, picker, query, reached, tabulate, totalling
from trellis.records.reading.beside import Beside, read_beside
from trellis.records.record import Change, Choice, Count, FormState, Group, Outcome, Page, Record
from trellis.records.recycling import bin as recycle
from trellis.records.recycling import deletion, purging
from trellis.records.refusal import Fault, Missing
from trellis.records.session import Session
from trellis.records.sharing import shares
from trellis.records.versions import batches, history, past, undoing
from trellis.records.versions.batches import Batch
from trellis.records.writing import batch, joining, locks, trees, write

if TYPE_CHECKING:
    from trellis.storage.tenant import Tenant

Where = Sequence[Formula | str]
Records = list[Record]
Ids = list[UUID]
Refs = list[Ref]
Choices = list[Choice]
Names = list[str]
Groups = list[Group]
Bundles = list[gather.Bundle]
SheetRows = list[tabulate.SheetRow]
Changes = list[Change]
Outcomes = list[Outcome]
Proposals = list[convert.Proposal]
Conversions = list[converting.Conversions]
Batches = list[batches.Told]
Purges = list[purging.Purged]
Share = shares.Share
Shares = list[Share]


class Store:
    """One principal's door to one tenant's records. Cheap: made anew for every request."""

    def __init__(self, tenant: Tenant, principal: Principal, *, hooks: Hooks | None = None, cause: Any = None) -> None:
        self.session = Session(tenant, principal, hooks=hooks, cause=cause)

    @classmethod
    def within(cls, session: Session) -> Store:
        """The door to work that goes on already: same person, same transaction."""
        store = cls.__new__(cls)
        store.session = session
        return store

    @property
    def tenant(self) -> Tenant:
        """Whose records these are."""
        return self.session.tenant

    @property
    def principal(self) -> Principal:
        """Who is asking."""
        return self.session.principal

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """A transaction that every call inside joins: all of it is done, or nothing."""
        with self.session.transaction() as connection:
            yield connection

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────────

    def read(
        self,
        entity: str,
        id: UUID | str,
        *,
        fields: Sequence[str] | None = None,
        deleted: bool = False,
        as_of: datetime | None = None,
    ) -> Record:
        """One record with some paths, else with every field that this person may see. Raises Missing.

        `as_of`: as it was at that moment, as far as the history tells (a PastRecord, whose `unknown` it does not).
        """
        with self.session.transaction():
            if as_of is not None:
                return past.read(self.session, entity, as_id(id), as_of, fields=fields)
            return query.read(self.session, entity, as_id(id), fields=fields, deleted=deleted)

    def list(
        self,
        entity: str,
        *,
        columns: Sequence[str],
        where: Where = (),
        q: str | None = None,
        sort: Sequence[Sort] = (),
        limit: int = 50,
        cursor: str | None = None,
        deleted: bool | None = False,
    ) -> Page:
        """A page of records in order; `next` of the page is the cursor of the following one."""
        with self.session.transaction():
            return query.list_page(
                self.session,
                entity,
                columns=columns,
                where=where,
                q=q,
                sort=sort,
                limit=limit,
                cursor=cursor,
                deleted=deleted,
            )

    def count(
        self,
        entity: str,
        *,
        where: Where = (),
        q: str | None = None,
        cap: int | None = 10_000,
        deleted: bool | None = False,
    ) -> Count:
        """How many records there are, up to the cap."""
        with self.session.transaction():
            return totalling.count(self.session, entity, where=where, q=q, cap=cap, deleted=deleted)

    def totals(
        self,
        entity: str,
        wanted: Mapping[str, str],
        *,
        where: Where = (),
        q: str | None = None,
        deleted: bool = False,
        patient: bool = False,
    ) -> dict[str, Value]:
        """Sums, averages, … of a list: {"amount": "sum"}. `patient`: of a report, whose statements may take long."""
        with self.session.transaction():
            return totalling.totals(self.session, entity, wanted, where=where, q=q, deleted=deleted, patient=patient)

    def groups(
        self,
        entity: str,
        field: str,
        *,
        totals: Mapping[str, str] | None = None,
        where: Where = (),
        q: str | None = None,
    ) -> Groups:
        """Counts and totals by a field's value."""
        with self.session.transaction():
            return totalling.groups(self.session, entity, field, totals=totals, where=where, q=q)

    def months(
        self,
        entity: str,
        field: str,
        *,
        totals: Mapping[str, str] | None = None,
        where: Where = (),
        q: str | None = None,
    ) -> Groups:
        """Counts and totals by the month of a date; each group's value is the month's first day."""
        with self.session.transaction():
            return months.months(self.session, entity, field, totals=totals, where=where, q=q)

    def tabulate(self, sheet: tabulate.Sheet) -> tuple[SheetRows, bool]:
        """Records as rows of values that formulas give, and whether there are more. Raises Refused."""
        with self.session.transaction():
            return tabulate.tabulate(self.session, sheet)

    def reached(self, journey: reached.Journey, order: Sequence[str]) -> dict[str, reached.Reached]:
        """How far records have come in a pipeline, by the stage that was their furthest. Raises Refused."""
        with self.session.transaction():
            return reached.reached(self.session, journey, order)

    def gather(self, question: gather.Question) -> Bundles:
        """Groups with their measures and totals: what reports are made of. Raises Refused."""
        with self.session.transaction():
            return gather.gather(self.session, question)

    def history(
        self, entity: str, id: UUID | str, limit: int = 50, before: int | None = None, *, deleted: bool = True
    ) -> Changes:
        """A record's changes, the newest first. Raises Missing when the record cannot be read."""
        with self.session.transaction():
            query.read(self.session, entity, as_id(id), fields=(), deleted=deleted)
            return history.read(self.session, entity, as_id(id), limit=limit, before=before)

    def lines(self, entity: str, id: UUID | str, name: str, *, columns: Sequence[str] | None = None) -> Records:
        """The rows of an inverse list of parts, in order, with every field that this person may see."""
        with self.session.transaction():
            return query.lines(self.session, entity, as_id(id), name, columns=columns)

    def breadcrumbs(self, entity: str, id: UUID | str) -> Refs:
        """What stands above a record in its tree, the topmost first, as far as this person may look."""
        with self.session.transaction():
            return trees.breadcrumbs(self.session, entity, as_id(id))

    def matching(self, entity: str, *, where: Where = (), q: str | None = None, limit: int = batch.MOST) -> Ids:
        """The ids of all records that match: what “select all” means."""
        with self.session.transaction():
            return batch.matching(self.session, entity, where, q=q, limit=limit)

    def pick(
        self,
        entity: str,
        q: str | None = None,
        *,
        field: tuple[str, str] | None = None,
        this: picker.This = None,
        limit: int = 20,
    ) -> Choices:
        """What a picker offers; `field` (entity, name) is the link it is for, `this` the open form's values."""
        with self.session.transaction():
            return picker.pick(self.session, entity, q, field=field, this=this, limit=limit)

    def search(self, q: str, entities: Sequence[str] | None = None, limit: int = 20) -> Choices:
        """Records of every readable entity that match."""
        with self.session.transaction():
            return picker.find(self.session, q, entities=entities, limit=limit)

    def evaluate_form(self, entity: str, values: Mapping[str, Any], id: UUID | str | None = None) -> FormState:
        """What stands in an open form, judged: conditions, defaults, computed values; nothing is saved."""
        with self.session.transaction():
            return forms.evaluate(self.session, entity, values, None if id is None else as_id(id))

    # ── rights ───────────────────────────────────────────────────────────────────────────────────────────

    def may(self, action: str, entity: str, record: Record | UUID | str | None = None) -> bool:
        """Whether an action is allowed with a record, or with any at all."""
        id = record.id if isinstance(record, Record) else record
        if id is None or self.session.permit.is_unlimited(action, entity):
            return rights.may(self.session, action, entity)
        with self.session.transaction():
            return rights.may_with(self.session, action, entity, as_id(id))

    def lock_on(self, entity: str, id: UUID | str, *, is_restricted: bool | None = None) -> Fault | None:
        """Why a record that this person may change is read-only for everybody now; None where it is not.

        `is_restricted`: whether the person's data may not be worked with, where that is known already.
        """
        with self.session.transaction():
            return locks.lock_of(self.session, entity, as_id(id), is_restricted=is_restricted)

    def beside(self, entity: str, id: UUID | str) -> Beside:
        """What stands beside a record that this person may read, for its page."""
        with self.session.transaction():
            return read_beside(self.session, entity, as_id(id))

    def may_change_many(self, entity: str) -> bool:
        """Whether this person may change many records of the entity at once: the right `bulk-edit`."""
        return rights.may_change_many(self.session, entity)

    def explain(self, entity: str, id: UUID | str) -> Explanation:
        """Why this person can or cannot see or change a record, rule by rule: for administrators. Raises Missing."""
        with self.session.transaction():
            return explain(self.session, entity, as_id(id))

    # ── sharing ──────────────────────────────────────────────────────────────────────────────────────────

    def may_share(self, entity: str, id: UUID | str | None = None) -> bool:
        """Whether this person may share records of the entity, or this one."""
        with self.session.transaction():
            return shares.may_share(self.session, entity, None if id is None else as_id(id))

    def shares(self, entity: str, id: UUID | str) -> Shares:
        """Who a record is shared with. Raises Missing, Forbidden."""
        with self.session.transaction():
            return shares.read_shares(self.session, entity, as_id(id))

    def share(
        self,
        entity: str,
        id: UUID | str,
        whom: Ref,
        level: str = "read",
        until: date | None = None,
        *,
        means: str = "page",
    ) -> Share:
        """Share a record with a person or a team, up to a day. Raises Missing, Forbidden, Refused."""
        with self.session.write(entity):
            return shares.share(self.session, entity, as_id(id), whom, level, until, means=means)

    def change_share(
        self, entity: str, id: UUID | str, share: UUID | str, given: Mapping[str, Any], *, means: str = "page"
    ) -> Share:
        """Change what a share opens: `level`, `until`. Raises Missing, Forbidden, Refused."""
        with self.session.write(entity):
            return shares.change(self.session, entity, as_id(id), as_id(share), given, means=means)

    def end_share(self, entity: str, id: UUID | str, share: UUID | str, *, means: str = "page") -> None:
        """End a share. Raises Missing, Forbidden."""
        with self.session.write(entity):
            shares.end(self.session, entity, as_id(id), as_id(share), means=means)

    def readable_fields(self, entity: str) -> Names:
        """The fields that this person may see."""
        return filtering.readable_fields(self.session, entity)

    def writable_fields(self, entity: str) -> Names:
        """The fields that this person may set; conditions may still forbid one for a record."""
        return rights.writable_fields(self.session, entity)

    # ── writing ──────────────────────────────────────────────────────────────────────────────────────────

    def create(
        self,
        entity: str,
        values: Mapping[str, Any],
        *,
        means: str = "page",
        id: UUID | None = None,
        confirmed: bool = True,
    ) -> Record:
        """Create a record with its lines and links. Raises Refused with every fault.

        What only warns (dedupe) is in the record's `warnings`; with `confirmed=False` it is a refusal too.
        """
        with self.session.write(entity):
            draft = write.create(self.session, entity, values, means=means, id=id, confirmed=confirmed)
            return query.read_written(self.session, draft)

    def update(
        self,
        entity: str,
        id: UUID | str,
        values: Mapping[str, Any],
        *,
        version: int | None = None,
        means: str = "page",
        confirmed: bool = True,
        merges: bool = False,
    ) -> Record:
        """Change a record. Raises Refused, Stale, Missing or Forbidden.

        `merges`: others may have changed it since `version`, as long as not the same fields.
        """
        with self.session.write(entity):
            draft = write.update(
                self.session,
                entity,
                as_id(id),
                values,
                version=version,
                means=means,
                confirmed=confirmed,
                merges=merges,
            )
            return query.read_written(self.session, draft)

    def change(self, entity: str, id: UUID | str, values: Mapping[str, Any], *, means: str) -> tuple[Fault, ...]:
        """The same as `update` for whoever does not look at the record afterwards: it is not read again, which often
        costs as much as the change. What only warns is returned."""
        with self.session.write(entity):
            draft = write.update(self.session, entity, as_id(id), values, version=None, means=means)
            return tuple(draft.warnings)

    def delete(self, entity: str, id: UUID | str, *, means: str = "page") -> None:
        """Put a record into the recycle bin. Raises Refused when something holds it."""
        with self.session.write(entity):
            recycle.delete(self.session, entity, as_id(id), means=means)

    def foresee(self, entity: str, ids: Sequence[UUID]) -> deletion.Deletion:
        """What deleting the records would do: what holds them, what goes along, what loses its link."""
        with self.session.transaction():
            return deletion.foresee(self.session, entity, ids)

    def restore(self, entity: str, id: UUID | str, *, means: str = "page") -> dict[str, int]:
        """Take a record out of the bin, with what went in with it; how many others that were, by entity."""
        with self.session.write(entity):
            return recycle.restore(self.session, entity, as_id(id), means=means)

    def give_back(
        self, entity: str, id: UUID | str, as_of: datetime, names: Sequence[str], *, version: int | None = None
    ) -> int:
        """Give fields and lists of parts what they were at a moment, as a save with every rule; how many of them."""
        with self.session.write(entity):
            return past.give_back(self.session, entity, as_id(id), as_of, names, version)

    def purge(self, entity: str, id: UUID | str, *, means: str = "page") -> None:
        """Remove a record in the bin for good."""
        with self.session.write(entity):
            recycle.purge(self.session, entity, as_id(id), means=means)
            auditing.note(self.session, "data.purged", entity=entity, record=as_id(id))

    def may_convert(self, entity: str, id: UUID | str | None = None) -> bool:
        """Whether this person may convert records of the entity, or this one as it is now."""
        with self.session.transaction():
            if id is None:
                return convert.may(self.session, entity)
            return convert.is_ready(self.session, entity, as_id(id))

    def propose(self, entity: str, id: UUID | str) -> Proposals:
        """What the record would become by its conversion, with what looks like it. Raises Refused."""
        with self.session.transaction():
            return convert.propose(self.session, entity, as_id(id))

    def convert(self, entity: str, id: UUID | str, choices: Mapping[str, Any] | None = None) -> convert.Converted:
        """Convert a record: each target new, existing or left out. Raises Refused with faults at `<target>.<field>`."""
        with self.session.write(entity):
            return convert.convert(self.session, entity, as_id(id), choices or {})

    def propose_many(self, entity: str, ids: Sequence[UUID], leave: Collection[str] = ()) -> Conversions:
        """What each record would become by the rule for many; `leave` names optional targets to do without."""
        with self.session.transaction():
            return converting.propose_many(self.session, entity, ids, leave)

    def convert_many(self, entity: str, ids: Sequence[UUID], leave: Collection[str] = ()) -> Conversions:
        """Convert records, each for itself, in one batch: a clear match is linked, else a new record is made."""
        return converting.convert_many(self.session, entity, ids, leave)

    def merge(
        self,
        entity: str,
        winner: UUID | str,
        losers: Sequence[UUID | str],
        take: Mapping[str, UUID | str] | None = None,
        *,
        versions: Mapping[UUID, int] | None = None,
        means: str = "page",
    ) -> Record:
        """Merge records into one; `take` says whose value a field gets. Raises Refused, Missing or Forbidden."""
        chosen = {name: as_id(id) for name, id in (take or {}).items()}
        with self.session.write(entity):
            draft, _ = merge.merge(
                self.session,
                entity,
                as_id(winner),
                [as_id(id) for id in losers],
                chosen,
                versions=versions or {},
                means=means,
            )
            return query.read_written(self.session, draft)

    def unmerge(self, id: UUID | str, *, means: str = "page") -> undo.Unmerged:
        """Undo a merge: everything as it was, but for what was changed since, which is told."""
        with self.session.write():
            return undo.unmerge(self.session, as_id(id), means=means)

    def merges(self, entity: str, id: UUID | str) -> Sequence[Merge]:
        """What was merged into a record, the latest first. Raises Missing when it cannot be read."""
        with self.session.transaction():
            query.read(self.session, entity, as_id(id), fields=())
            return lookup.merges(self.session, entity, as_id(id))

    def merged_into(self, entity: str, id: UUID | str) -> UUID | None:
        """The record that this one was merged into, whoever may read it; None when it was not."""
        with self.session.transaction():
            return lookup.winners(self.session, entity, [as_id(id)]).get(as_id(id))

    def duplicates(self, entity: str, rule: str, *, after: str | None = None, limit: int = 20) -> duplicates.Found:
        """Groups of records that a rule finds to be probably the same."""
        with self.session.transaction():
            return duplicates.groups(self.session, entity, rule, after=after, limit=limit)

    def not_duplicates(self, entity: str, ids: Sequence[UUID]) -> None:
        """Remember that records are not the same: no rule tells of them again. Raises Missing for one out of reach."""
        with self.session.write(entity):
            duplicates.remember(self.session, entity, ids)

    def hanging(self, entity: str, ids: Sequence[UUID]) -> Mapping[str, int]:
        """How many records of each entity lead to one of the records, as far as this person may see them."""
        with self.session.transaction():
            return hanging.hanging(self.session, entity, ids)

    def may_merge(self, entity: str) -> bool:
        """Whether there can be records of the entity that this person may merge."""
        return merge.may_merge(self.session, entity)

    def purge_old(self, older_than: timedelta | None = None, *, dry_run: bool = False) -> Purges:
        """Empty the bin of what has been in it for long enough, by the configuration or by what is said here."""
        return purging.purge_old(self.session, older_than=older_than, dry_run=dry_run)

    def link(
        self,
        entity: str,
        id: UUID | str,
        field: str,
        target: Ref | UUID | str,
        columns: Mapping[str, Any] | None = None,
        *,
        means: str = "page",
    ) -> None:
        """Link a record with another, by a links field or an inverse list."""
        with self.session.write(entity):
            other = target if isinstance(target, Ref) else as_id(target)
            joining.link(self.session, entity, as_id(id), field, other, columns or {}, means=means)

    def unlink(self, entity: str, id: UUID | str, field: str, target: Ref | UUID | str, *, means: str = "page") -> None:
        """Take a link away."""
        with self.session.write(entity):
            other = target if isinstance(target, Ref) else as_id(target)
            joining.unlink(self.session, entity, as_id(id), field, other, means=means)

    def create_many(self, entity: str, rows: Sequence[Mapping[str, Any]], *, means: str = "import") -> Outcomes:
        """Create records in bulk; each row has an outcome, and a refused one holds up no other."""
        with self.batch("import", entity), self.session.write(entity):
            return batch.create_many(self.session, entity, rows, means=means)

    def update_many(
        self,
        entity: str,
        changes: Sequence[tuple[UUID, Mapping[str, Any]]],
        *,
        means: str = "import",
        confirmed: bool = True,
    ) -> Outcomes:
        """Change records in bulk, each with its own values; unconfirmed, what only warns is refused."""
        with self.batch("import" if means == "import" else "edit", entity), self.session.write(entity):
            return batch.update_many(self.session, entity, changes, means=means, confirmed=confirmed)

    def delete_many(self, entity: str, ids: Sequence[UUID], *, means: str = "bulk") -> Outcomes:
        """Put records into the bin, each for itself."""
        with self.batch("delete", entity), self.session.write(entity):
            return batch.delete_many(self.session, entity, ids, means=means)

    def restore_many(self, entity: str, ids: Sequence[UUID], *, means: str = "bulk") -> Outcomes:
        """Take records out of the bin, each for itself."""
        with self.batch("restore", entity), self.session.write(entity):
            return batch.restore_many(self.session, entity, ids, means=means)

    def purge_many(self, entity: str, ids: Sequence[UUID], *, means: str = "bulk") -> Outcomes:
        """Remove records in the bin for good, each for itself; one that another of them held is tried again."""
        with self.session.write(entity):
            outcomes = batch.purge_many(self.session, entity, ids, means=means)
            if gone := [o for o in outcomes if o.status == "purged"]:
                auditing.note(self.session, "data.purged", entity=entity, details={"count": len(gone)})
            return outcomes

    @contextmanager
    def batch(self, kind: str, entity: str) -> Iterator[Batch]:
        """Make all changes inside part of one batch, over several transactions, so that they can be undone at once."""
        with batches.within(self.session, kind, entity) as made:
            yield made

    def batches(self, *, limit: int = 20, before: datetime | None = None, entity: str | None = None) -> Batches:
        """The latest batches of this person, of an administrator's everybody's."""
        with self.session.transaction():
            return batches.recent(self.session, limit=limit, before=before, entity=entity)

    def undo(self, batch: UUID | str) -> undoing.Undoing:
        """Undo a batch, record by record; the undoing is a batch too. Raises Missing, Forbidden, Refused."""
        with self.session.write():
            return undoing.undo(self.session, as_id(batch))

    def update_where(
        self,
        entity: str,
        values: Mapping[str, Any],
        *,
        where: Where = (),
        q: str | None = None,
        means: str = "bulk",
    ) -> Outcomes:
        """Change all records that match."""
        with self.batch("edit", entity), self.session.write(entity):
            return batch.update_where(self.session, entity, where, values, q=q, means=means)


def as_id(id: UUID | str) -> UUID:
    """An id as given by an address; one that is none names no record."""
    if isinstance(id, UUID):
        return id
    try:
        return UUID(str(id))
    except ValueError as error:
        raise Missing(str(id)) from error
