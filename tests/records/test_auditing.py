"""What the door tells the audit log."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from trellis.records.store import Store
from trellis.records.transfer import export_csv
from trellis.storage.audit import Actor, acting
from trellis.storage.audit.verify import verify
from trellis.storage.tenant import Tenant


@pytest.fixture
def told(sales: Tenant) -> Callable[[], list[Any]]:
    """The entries since the test began."""
    audit = sales.tables.platform.audit
    with sales.begin() as connection:
        last = connection.execute(sa.select(sa.func.max(audit.c.id))).scalar() or 0

    def read() -> list[Any]:
        with sales.begin() as connection:
            assert verify(connection, sales).is_whole
            return list(connection.execute(sa.select(audit).where(audit.c.id > last).order_by(audit.c.id)))

    return read


@pytest.fixture
def request_of_somebody() -> Iterator[None]:
    """A request's words about itself."""
    acting.set(lambda: Actor(means="api", address="203.0.113.9", request="r-1"))
    yield
    acting.set(None)


@pytest.mark.usefixtures("request_of_somebody")
def test_changes_of_people_name_roles_and_sign_in_but_not_other_values(system: Store, told: Any) -> None:
    mona = system.create("user", {"name": "Mona", "email": "mona@example.com"})
    system.update("user", mona.id, {"name": "Mona Lisa"})
    system.update("user", mona.id, {"active": False})
    system.delete("user", mona.id)
    entries = told()
    assert [e.kind for e in entries] == ["person.created", "person.changed", "person.disabled", "person.deleted"]
    created, changed, disabled, _ = entries
    assert (created.entity, created.record, created.label) == ("user", mona.id, "Mona")
    assert (created.by_name, created.means, created.address, created.request) == (
        "Trellis",
        "api",
        "203.0.113.9",
        "r-1",
    )
    assert json.loads(changed.details) == {"name": "changed"}
    assert json.loads(disabled.details) == {"active": {"from": True, "to": False}}


def test_ordinary_records_are_told_by_their_history_alone(system: Store, told: Any) -> None:
    system.update("account", system.create("account", {"name": "Acme"}).id, {"city": "Kiel"})
    assert told() == []


def test_many_changes_are_one_entry(person: Any, told: Any) -> None:
    anna = person("Anna", "manager")
    made = anna.create_many("account", [{"name": f"A{n}"} for n in range(3)])
    anna.delete_many("account", [o.id for o in made])
    imported, deleted = (e for e in told() if e.kind.startswith("data."))
    assert (imported.kind, imported.entity, imported.by_name) == ("data.imported", "account", "Anna")
    assert json.loads(imported.details)["created"] == 3
    assert (deleted.kind, json.loads(deleted.details)["deleted"]) == ("data.deleted", 3)


def test_many_changes_that_are_rolled_back_leave_nothing(system: Store, told: Any) -> None:
    def fail() -> None:
        with system.transaction():
            system.create_many("account", [{"name": "Gone"}])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert told() == []


def test_exports_purges_and_merges(system: Store, told: Any) -> None:
    ids: list[UUID] = [system.create("account", {"name": n}).id for n in ("A", "B", "C")]
    export_csv(system, "account", io.StringIO(), columns=["name"], where=['name != "C"'])
    merged = system.merge("account", ids[0], [ids[1]])
    [merge] = system.merges("account", merged.id)
    system.unmerge(merge.id)
    system.delete("account", ids[2])
    system.purge("account", ids[2])
    exported, joined, undone, purged = told()
    details = {"columns": ["name"], "count": 2, "filter": ['name != "C"']}
    assert (exported.kind, json.loads(exported.details)) == ("data.exported", details)
    assert (joined.kind, joined.record, json.loads(joined.details)) == (
        "data.merged",
        ids[0],
        {"losers": [str(ids[1])]},
    )
    assert (undone.kind, purged.kind, purged.record) == ("data.unmerged", "data.purged", ids[2])
