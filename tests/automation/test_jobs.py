"""Jobs: put into the queue with the change that asks for them, done once, tried again, given up, kept apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from tests.conftest import SAMPLE

from trellis.automation import jobs, state
from trellis.automation.worker import drain
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant

Seen = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def tenant(same_tenant: Callable[..., Tenant]) -> Tenant:
    """The small sample, as new for every test."""
    return same_tenant(SAMPLE)


@pytest.fixture
def seen() -> Iterator[Seen]:
    """What the kinds of these tests have done; the kinds go away with the test."""
    before = dict(jobs.KINDS)
    yield []
    jobs.KINDS.clear()
    jobs.KINDS.update(before)


@pytest.fixture
def note(seen: Seen) -> jobs.Kind:
    """A kind that writes down what it was given."""

    @jobs.kind("test.note")
    def do(work: jobs.Work) -> None:
        seen.append((work.tenant.slug, dict(work.payload)))

    return do


def ask(tenant: Tenant, kind: jobs.Kind | str, payload: dict[str, Any] | None = None, **options: Any) -> None:
    with tenant.begin() as connection:
        jobs.defer(connection, kind, payload, **options)


def test_a_job_is_done_for_the_tenant_that_asked(
    catalogue: Catalogue, tenant: Tenant, note: jobs.Kind, seen: Seen
) -> None:
    ask(tenant, note, {"n": 1})
    assert drain(catalogue, tenant) == 1
    assert seen == [(tenant.slug, {"n": 1})]
    assert drain(catalogue, tenant) == 0


def test_what_is_rolled_back_was_never_asked_for(
    catalogue: Catalogue, tenant: Tenant, note: jobs.Kind, seen: Seen
) -> None:
    with tenant.begin() as connection:
        jobs.defer(connection, note, {"n": 1})
        connection.rollback()
    assert drain(catalogue, tenant) == 0


def test_a_tenant_asks_for_itself_only(make_tenant: Callable[..., Tenant], tenant: Tenant, note: jobs.Kind) -> None:
    other = make_tenant("")
    with pytest.raises(sa.exc.ProgrammingError, match="of its own only"), tenant.begin() as connection:
        jobs.defer(connection, note, tenant=other)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM trellis_queue.procrastinate_jobs",
        "SELECT trellis_queue.take(1, '{}')",
        "DELETE FROM trellis_queue.later",
        "INSERT INTO trellis_queue.dead (queue, kind, args, error) VALUES ('x', 'x', '{}', 'x')",
    ],
)
def test_a_tenant_cannot_look_into_the_queue(tenant: Tenant, statement: str) -> None:
    with pytest.raises(sa.exc.ProgrammingError) as refused, tenant.begin() as connection:
        connection.exec_driver_sql(statement)
    assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege)


def test_the_platform_asks_for_a_tenant(catalogue: Catalogue, tenant: Tenant, note: jobs.Kind, seen: Seen) -> None:
    with tenant.database.engine.begin() as connection:
        jobs.defer(connection, note, {"n": 2}, tenant=tenant)
    drain(catalogue, tenant)
    assert seen == [(tenant.slug, {"n": 2})]


def test_later_is_later(catalogue: Catalogue, tenant: Tenant, note: jobs.Kind, seen: Seen) -> None:
    ask(tenant, note, at=datetime.now(UTC) + timedelta(hours=1))
    assert drain(catalogue, tenant) == 0
    assert drain(catalogue, tenant, ahead=timedelta(hours=2)) == 1


def test_what_fails_is_tried_again_and_then_a_dead_letter(catalogue: Catalogue, tenant: Tenant, seen: Seen) -> None:
    deaths: list[str] = []

    @jobs.kind(
        "test.fail",
        retry=jobs.Backoff(tries=3, first=60),
        on_death=lambda work, why: deaths.append(f"{work.tries} {why}"),
    )
    def fail(work: jobs.Work) -> None:
        seen.append((str(work.uid), {"tries": work.tries}))
        raise ValueError("no luck")

    ask(tenant, fail)
    assert drain(catalogue, tenant) == 1  # the others wait for their time
    assert drain(catalogue, tenant, ahead=timedelta(days=1)) == 2
    assert [told["tries"] for _, told in seen] == [0, 1, 2]
    assert len({uid for uid, _ in seen}) == 1
    assert deaths == ["2 ValueError: no luck"]
    [letter] = state.dead_letters(tenant)
    assert (letter.kind, letter.error) == ("test.fail", "ValueError: no luck")
    assert drain(catalogue, tenant, ahead=timedelta(days=1)) == 0
    assert state.revive(tenant, [letter.id]) == 1
    assert drain(catalogue, tenant) == 1
    drain(catalogue, tenant, ahead=timedelta(days=1))
    assert state.discard(tenant) == 1
    assert state.dead_letters(tenant) == []


def test_giving_up_is_at_once(catalogue: Catalogue, tenant: Tenant, seen: Seen) -> None:
    @jobs.kind("test.give_up")
    def give_up(work: jobs.Work) -> None:
        raise jobs.GiveUp("gone for good")

    ask(tenant, give_up)
    assert drain(catalogue, tenant) == 1
    assert [letter.error for letter in state.dead_letters(tenant)] == ["gone for good"]


def test_not_now_counts_as_no_try(catalogue: Catalogue, tenant: Tenant, seen: Seen) -> None:
    @jobs.kind("test.later", retry=jobs.Backoff(tries=1))
    def later(work: jobs.Work) -> None:
        seen.append(("", {"tries": work.tries}))
        if len(seen) < 3:
            raise jobs.Later(timedelta(minutes=5))

    ask(tenant, later)
    drain(catalogue, tenant, ahead=timedelta(hours=1))
    assert [told["tries"] for _, told in seen] == [0, 0, 0]


def test_work_and_its_end_are_one_transaction(catalogue: Catalogue, tenant: Tenant, seen: Seen) -> None:
    @jobs.kind("test.finish", retry=jobs.Backoff(tries=2, first=0.001))
    def finish(work: jobs.Work) -> None:
        with work.finishing() as connection:
            jobs.defer(connection, "test.after")
            if work.tries == 0:
                raise RuntimeError("killed before the commit")

    @jobs.kind("test.after")
    def after(work: jobs.Work) -> None:
        seen.append(("after", {}))

    ask(tenant, finish)
    drain(catalogue, tenant, ahead=timedelta(hours=1))
    assert seen == [("after", {})]


def test_a_suspended_tenant_rests(catalogue: Catalogue, tenant: Tenant, note: jobs.Kind, seen: Seen) -> None:
    ask(tenant, note)
    catalogue.suspend(tenant.slug)
    assert drain(catalogue, tenant) == 0
    catalogue.resume(tenant.slug)
    assert drain(catalogue, tenant) == 1


def test_nothing_is_left_of_a_dropped_tenant(
    catalogue: Catalogue, make_tenant: Callable[..., Tenant], note: jobs.Kind, seen: Seen
) -> None:
    gone = make_tenant("")
    ask(gone, note)
    ask(gone, note, at=datetime.now(UTC) + timedelta(hours=1))
    waiting = state.depths(gone.database)[gone.role]
    assert (waiting.waiting, waiting.later) == (1, 1)
    with gone.database.engine.begin() as connection:
        from trellis.storage.queue import forget

        forget(connection, gone.role)
    assert gone.role not in state.depths(gone.database)


def test_one_run_absorbs_its_like(catalogue: Catalogue, tenant: Tenant, seen: Seen) -> None:
    @jobs.kind("test.absorb")
    def absorb(work: jobs.Work) -> None:
        with work.finishing() as connection:
            seen.append(("", {"absorbed": work.absorb(connection)}))

    for _ in range(5):
        ask(tenant, absorb)
    assert drain(catalogue, tenant) == 1
    assert seen == [("", {"absorbed": 4})]


def test_jobs_of_one_lock_come_in_order(catalogue: Catalogue, tenant: Tenant, seen: Seen) -> None:
    @jobs.kind("test.ordered", retry=jobs.Backoff(tries=5, first=0.001), ordered=True)
    def ordered(work: jobs.Work) -> None:
        seen.append(("", dict(work.payload)))
        if work.payload["n"] == 1 and work.tries == 0:
            raise RuntimeError

    for n in (1, 2, 3):
        ask(tenant, ordered, {"n": n}, lock="record")
    for _ in range(100):
        drain(catalogue, tenant)
        if len(seen) == 4:
            break
    assert [told["n"] for _, told in seen] == [1, 1, 2, 3]


def test_a_long_line_of_one_tenant_keeps_nobody_waiting(
    catalogue: Catalogue, make_tenant: Callable[..., Tenant], note: jobs.Kind, seen: Seen
) -> None:
    big, small = make_tenant(""), make_tenant("")
    with big.begin() as connection:
        jobs.defer_many(connection, [jobs.Job(note, {"n": n}) for n in range(500)])
    ask(small, note)
    from trellis.automation.worker.drain import registered, take

    with registered(big.database) as worker:
        first = [take(big.database, worker, [], None) for _ in range(3)]
        assert small.role in {taken.queue for taken in first if taken is not None}
