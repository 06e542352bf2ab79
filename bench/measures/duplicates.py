"""Duplicates: what looking for them adds to a save, and what a merge costs against UPDATEs by hand."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from unittest.mock import patch
from uuid import UUID

import sqlalchemy as sa

from bench.fill import contact_id, fill
from bench.registry import Result, measure
from bench.setting import PERSON, layers
from bench.timing import OURS, THEIRS, compare
from trellis.formula.reader import Reader
from trellis.records.merging import dedupe
from trellis.records.principal import Principal
from trellis.records.store import Store

if TYPE_CHECKING:
    from bench.setting import Bench
    from trellis.storage.tenant import Tenant

SLUG = "bench-duplicates"
RULES = """
entity: contact
dedupe:
  same-email: {match: [email], action: warn}
  same-phone: {match: [mobile], action: warn}
  like-name: {match: [similar(name)], action: warn}
"""
CHILDREN = 10_000


class Enough(Exception):
    """Ends a transaction that nobody needs."""


@contextmanager
def filled(bench: Bench) -> Iterator[Tenant]:
    """A tenant of its own, with a rule for similar names beside the core's."""
    if any(entry.slug == SLUG for entry in bench.catalogue.list()):  # of a run that was stopped
        bench.catalogue.drop(SLUG)
    tenant = bench.catalogue.create(SLUG, layers(SLUG, contact=RULES), "bench", status="provisioning")
    try:
        fill(tenant, bench.rows, PERSON)
        bench.catalogue.resume(SLUG)
        yield bench.catalogue.get(SLUG)
    finally:
        bench.catalogue.drop(SLUG)


@measure("duplicates")
def duplicates(bench: Bench) -> Iterator[Result]:
    """New contacts with the rules and without, and two accounts made one; everything is rolled back."""
    with filled(bench) as tenant:
        store = Store(tenant, Principal.system(Reader(currency="EUR", region="DE")))
        yield _saves(bench, store)
        yield _merges(bench, store, tenant)


def _saves(bench: Bench, store: Store) -> Result:
    numbers = itertools.count(1)

    def create() -> None:
        n = next(numbers)
        values = {"name": f"Nina Neumann{n}", "email": f"new{n}@new.example", "mobile": f"+4917{n:08}"}
        try:
            with store.transaction():
                store.create("contact", values)
                raise Enough
        except Enough:
            pass

    def without() -> None:
        with patch.object(dedupe, "check", lambda session, drafts: None):
            create()

    timed = compare({OURS: create, THEIRS: without}, bench.seconds)
    note = f"{bench.rows:,} contacts; same e-mail, same phone, similar name; baseline: without looking"
    return Result(
        "save, looked up as duplicate", timed.medians[OURS], timed.medians[THEIRS], ratio=timed.ratio, note=note
    )


def _merges(bench: Bench, store: Store, tenant: Tenant) -> Result:
    winner, loser = (UUID(f"01900000-0000-7000-a000-{n:012x}") for n in (1, 2))
    tables = tenant.tables
    contact, account, history = tables.entity["contact"], tables.entity["account"], tables.platform.history
    with store.transaction() as connection:
        first = sa.and_(contact.c.id >= contact_id(1), contact.c.id <= contact_id(CHILDREN))
        connection.execute(sa.update(contact).where(first).values(account=loser))

    def ours() -> None:
        try:
            with store.transaction():
                store.merge("account", winner, [loser])
                raise Enough
        except Enough:
            pass

    def theirs() -> None:
        """What a hand would write: the children, a line of history for each, the record that goes."""
        moved = (
            sa.update(contact)
            .where(contact.c.account == loser)
            .values(account=winner, version=contact.c.version + 1)
            .returning(contact.c.id, contact.c.version)
            .cte()
        )
        told = sa.select(
            sa.func.now(),
            sa.literal("contact"),
            moved.c.id,
            sa.literal("update"),
            sa.literal("page"),
            moved.c.version,
            sa.literal([["account", str(loser), str(winner)]], history.c.changes.type),
        )
        names = ["at", "entity", "record", "kind", "means", "version", "changes"]
        try:
            with store.transaction() as connection:
                connection.execute(sa.insert(history).from_select(names, told))
                gone = sa.update(account).where(account.c.id == loser)
                connection.execute(gone.values(deleted_at=sa.func.now(), version=account.c.version + 1))
                kept = sa.update(account).where(account.c.id == winner)
                connection.execute(kept.values(version=account.c.version + 1))
                raise Enough
        except Enough:
            pass

    timed = compare({OURS: ours, THEIRS: theirs}, bench.seconds, least=5)
    note = f"{CHILDREN:,} contacts move; history for each, undo kept; baseline: UPDATEs with history by hand"
    return Result("merge of two accounts", timed.medians[OURS], timed.medians[THEIRS], ratio=timed.ratio, note=note)
