"""What slow statements gave is remembered while it is true, and never longer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from tests.conftest import layers_of
from tests.reports.crm import CRM, World, fill

from trellis.automation.worker.drain import drain
from trellis.formula.sql.parameters import read_by
from trellis.model.reports.report import Report
from trellis.records.principal import Principal
from trellis.records.reading import patient, remembered
from trellis.records.store import Store
from trellis.reports import remembering
from trellis.reports.run import run
from trellis.storage.catalogue import Catalogue

BY_STAGE = "entity: deal\ngroup: [stage]\nmeasures: {n: count(), amount: sum(amount), of: count_distinct(account)}"
Compile = Callable[[str], Report]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """The statements that were really run; every one counts as slow."""
    found: list[Any] = []
    before = patient._asked

    def noted(session: Any, statement: Any) -> Any:
        found.append(statement)
        return before(session, statement)

    monkeypatch.setattr(patient, "_asked", noted)
    monkeypatch.setattr(remembered, "SLOW", 0.0)
    remembered.forget_all()
    remembering._asked.clear()
    yield found
    remembered.forget_all()


@pytest.fixture(scope="module")
def crm(catalogue: Catalogue) -> Iterator[World]:
    """A CRM of its own: these tests write."""
    tenant = catalogue.create("reports-remembered", layers_of(CRM, "reports-remembered"), "test")
    try:
        yield fill(tenant, deals=12)
    finally:
        catalogue.drop("reports-remembered")


def count_of(store: Store, made: Report) -> int:
    return int(run(store, made, {}).lines[-1].values[1])


def test_an_answer_is_remembered_until_somebody_has_changed_something(
    catalogue: Catalogue, crm: World, report: Compile, asked: list[Any]
) -> None:
    made, store = report(BY_STAGE), crm.boss()
    assert [count_of(store, made) for _ in range(2)] == [12, 12]
    assert len(asked) == 2  # nothing is remembered of tables that nobody watches
    drain(catalogue, crm.tenant)
    assert [count_of(crm.boss(), made) for _ in range(3)] == [12, 12, 12]
    assert len(asked) == 3
    id = crm.system.create("deal", {"name": "One more", "stage": "new"}).id
    assert [count_of(crm.boss(), made) for _ in range(2)] == [13, 13]
    crm.system.delete("deal", id)
    assert count_of(crm.boss(), made) == 12
    with crm.tenant.begin() as connection:  # whoever writes, also beside the door
        connection.exec_driver_sql("UPDATE deal SET deleted_at = NULL WHERE id = %s", (id,))
    assert count_of(crm.boss(), made) == 13
    crm.system.delete("deal", id)
    count = len(asked)
    crm.system.create("area", {"name": "Elsewhere"})  # nothing that the report reads
    count_of(crm.boss(), made)
    count_of(crm.boss(), made)
    assert len(asked) == count + 1


def test_others_and_other_params_are_other_answers(
    catalogue: Catalogue, crm: World, report: Compile, asked: list[Any]
) -> None:
    made = report(BY_STAGE)
    count_of(crm.boss(), made)
    drain(catalogue, crm.tenant)
    mine = sum(d["owner"] == crm.people["ben"] for d in crm.deals)
    for _ in range(2):
        assert count_of(crm.boss(), made) == 12
        assert count_of(crm.store("ben", "rep"), made) == mine
    count = len(asked)
    theirs = next(d["id"] for d in crm.deals if d["owner"] != crm.people["ben"])
    share = crm.tenant.tables.platform.share
    row = {"id": uuid4(), "entity": "deal", "record": theirs, "user": crm.people["ben"], "level": "read"}
    with crm.tenant.begin() as connection:
        connection.execute(sa.insert(share).values(**row))
    assert count_of(crm.store("ben", "rep"), made) == mine + 1
    with crm.tenant.begin() as connection:
        connection.execute(sa.delete(share))
    assert count_of(crm.store("ben", "rep"), made) == mine
    together = sum(d["owner"] in (crm.people["ben"], crm.people["cleo"]) for d in crm.deals)
    assert count_of(crm.store("ben", "lead", ("ben", "cleo")), made) == together
    assert count_of(crm.store("ben", "lead", ("ben",)), made) == mine
    assert len(asked) > count


def test_what_asks_for_today_is_remembered_for_the_readers_day_and_what_asks_for_now_is_not(
    catalogue: Catalogue, crm: World, report: Compile, asked: list[Any]
) -> None:
    def at(moment: datetime, zone: str = "Europe/Berlin") -> Store:
        reader = replace(crm.reader("anna", ("boss",)), now=moment, time_zone=ZoneInfo(zone))
        return Store(
            crm.tenant, Principal(id=crm.people["anna"], name="anna", roles=frozenset({"boss"}), reader=reader)
        )

    noon = datetime(2026, 6, 17, 10, tzinfo=UTC)
    days, moments = (
        report(f"{BY_STAGE}\nfilter: close_date < today()"),
        report(f"{BY_STAGE}\nfilter: opened_at < now()"),
    )
    count_of(at(noon), days)
    drain(catalogue, crm.tenant)
    count_of(at(noon), days)
    count = len(asked)
    count_of(at(noon + timedelta(hours=3)), days)
    count_of(at(noon, "America/New_York"), days)  # the same day on another clock
    assert len(asked) == count
    count_of(at(noon + timedelta(days=1)), days)
    count_of(at(noon, "Pacific/Kiritimati"), days)  # where it is tomorrow: as for the one a day later
    assert len(asked) == count + 1
    count_of(at(noon), moments)
    count_of(at(noon + timedelta(seconds=1)), moments)
    assert len(asked) == count + 3


def test_who_has_written_and_not_committed_neither_finds_nor_leaves_anything(
    catalogue: Catalogue, crm: World, report: Compile, asked: list[Any]
) -> None:
    made = report(BY_STAGE)
    count_of(crm.boss(), made)
    drain(catalogue, crm.tenant)
    assert [count_of(crm.boss(), made) for _ in range(2)] == [12, 12]
    writer = crm.system
    try:
        with writer.transaction():
            writer.create("deal", {"name": "Never", "stage": "new"})
            assert count_of(writer, made) == 13
            count = len(asked)
            assert count_of(crm.boss(), made) == 12  # of another transaction, nothing has changed yet
            assert len(asked) == count
            raise RuntimeError
    except RuntimeError:
        pass
    assert count_of(crm.system, made) == 12


def test_a_change_that_began_before_and_is_committed_after_is_noticed(
    catalogue: Catalogue, crm: World, report: Compile, asked: list[Any]
) -> None:
    made = report(BY_STAGE)
    count_of(crm.boss(), made)
    drain(catalogue, crm.tenant)
    writer = crm.system
    with writer.transaction():
        id = writer.create("deal", {"name": "Late", "stage": "new"}).id
        other = crm.system.create("deal", {"name": "In between", "stage": "new"}).id
        assert [count_of(crm.boss(), made) for _ in range(2)] == [13, 13]
    assert count_of(crm.boss(), made) == 14
    for one in (id, other):
        crm.system.delete("deal", one)


@pytest.mark.parametrize(
    "text",
    [
        BY_STAGE,
        "entity: deal\ngroup: [account.area.parent, owner]\nfilter: count(account.deals, amount > 3) > 0",
        "type: table\nentity: deal\ncolumns: [name, account.area, account.owner]",
        "entity: account\nmeasures: {n: 'sum(sum(deals.amount))'}",
        "type: pivot\nentity: deal\nrows: {area: {formula: account.area, level: 1}}\ncolumns: [stage]",
    ],
)
def test_no_table_that_postgresql_reads_is_missed(crm: World, report: Compile, asked: list[Any], text: str) -> None:
    store = crm.store("ben", "rep")
    run(store, report(text), {})
    assert asked
    for statement in asked:
        with store.transaction() as connection, read_by(store.principal.reader):
            written = statement.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
            told = connection.exec_driver_sql(
                f"EXPLAIN (FORMAT JSON) {written}", written.construct_params()
            ).scalar_one()
        assert set(_relations(told)) <= set(remembered.tables_of(statement))


def _relations(plan: Any) -> Iterator[str]:
    if isinstance(plan, dict):
        if "Relation Name" in plan:
            yield plan["Relation Name"]
        for value in plan.values():
            yield from _relations(value)
    elif isinstance(plan, list):
        for value in plan:
            yield from _relations(value)
