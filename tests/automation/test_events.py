"""Events: written with the change if somebody listens, told once and in order, and not at all when nobody does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from uuid import uuid4

import pytest
import sqlalchemy as sa

from trellis.automation import state
from trellis.automation.events import LISTENERS, Happening, listener
from trellis.automation.worker import drain
from trellis.formula.reader import Reader
from trellis.records.principal import Principal
from trellis.records.refusal import Refused
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant

CRM = """
entity: account
fields:
  name: {type: text, required: true, max_length: 40}
  size: {type: integer}
  pin: {type: secret}
---
entity: deal
fields:
  name: {type: text, required: true}
  account: {type: link, to: account, inverse: deals}
  amount: {type: money}
---
entity: deal_line
part_of: deal
fields:
  product: {type: text, required: true}
  quantity: {type: integer}
---
pipeline: sales
entity: deal
default: true
stages:
  open: {label: Open}
  won: {label: Won, type: won}
"""


@pytest.fixture
def crm(same_tenant: Callable[..., Tenant]) -> Tenant:
    return same_tenant(CRM)


@pytest.fixture
def told() -> Iterator[list[Happening]]:
    """What a listener was told; other listeners are silent."""
    before, heard = dict(LISTENERS), []
    LISTENERS.clear()

    @listener("test")
    def hear(connection: sa.Connection, tenant: Tenant, happened: Sequence[Happening]) -> None:
        heard.extend(happened)

    yield heard
    LISTENERS.clear()
    LISTENERS.update(before)


def store_of(tenant: Tenant, cause: object = None) -> Store:
    return Store(tenant, Principal.system(Reader()), cause=cause)


def listen(tenant: Tenant, entity: str = "*") -> None:
    """Somebody listens: an active webhook."""
    row = {
        "id": uuid4(),
        "name": "x",
        "url": "x",
        "entity": entity,
        "events": ["created"],
        "owner": uuid4(),
        "secret": "",
    }
    with tenant.begin() as connection:
        connection.execute(sa.insert(tenant.tables.platform.webhook).values(**row))


def written(tenant: Tenant) -> int:
    with tenant.begin() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM _event").scalar_one())


def test_nobody_listens_and_nothing_is_written(catalogue: Catalogue, crm: Tenant) -> None:
    store_of(crm).create("account", {"name": "Acme"})
    assert written(crm) == 0
    assert crm.role not in state.depths(crm.database)


def test_only_what_somebody_listens_to(crm: Tenant) -> None:
    listen(crm, "deal")
    store = store_of(crm)
    account = store.create("account", {"name": "Acme"})
    store.create("deal", {"name": "D", "account": account.id})
    assert written(crm) == 1


def test_a_change_is_told_once_with_old_and_new_values(
    catalogue: Catalogue, crm: Tenant, told: list[Happening]
) -> None:
    listen(crm)
    store = store_of(crm, cause={"workflow": "w", "depth": 2})
    made = store.create("account", {"name": "Acme", "size": 3})
    store.update("account", made.id, {"size": 4})
    store.update("account", made.id, {"size": 4})  # nothing changes
    store.delete("account", made.id)
    store.restore("account", made.id)
    drain(catalogue, crm)
    assert [(h.kind, h.version) for h in told[:2]] == [("created", 1), ("updated", 2)]
    assert [h.kind for h in told[2:]] == ["deleted", "restored"]
    assert told[1].changes == {"size": [3, 4]}
    assert told[0].changes["name"] == [None, "Acme"]
    assert (told[0].depth, told[0].means, told[0].record) == (2, "page", made.id)
    assert written(crm) == 0
    assert drain(catalogue, crm) == 0


def test_a_secret_is_not_told(catalogue: Catalogue, crm: Tenant, told: list[Happening]) -> None:
    listen(crm)
    made = store_of(crm).create("account", {"name": "Acme"})
    store_of(crm).update("account", made.id, {"pin": "1234"})
    drain(catalogue, crm)
    assert told[1].changes == {"pin": [None, "•••"]}


def test_a_move_tells_the_stage_left_and_the_one_entered(
    catalogue: Catalogue, crm: Tenant, told: list[Happening]
) -> None:
    listen(crm)
    made = store_of(crm).create("deal", {"name": "D"})
    store_of(crm).update("deal", made.id, {"stage": "won"})
    drain(catalogue, crm)
    assert told[0].stages(crm.model) == {"stage": (None, "open")}
    assert told[1].stages(crm.model) == {"stage": ("open", "won")}


def test_a_change_of_lines_is_told_of_the_lines_and_of_their_record(
    catalogue: Catalogue, crm: Tenant, told: list[Happening]
) -> None:
    listen(crm)
    store = store_of(crm)
    made = store.create("deal", {"name": "D", "lines": [{"product": "A"}, {"product": "B"}]})
    a, b = store.lines("deal", made.id, "lines")
    drain(catalogue, crm)
    told.clear()
    store.update("deal", made.id, {"lines": [{"id": str(a.id), "product": "A", "quantity": 2}]})
    drain(catalogue, crm)
    assert {(h.kind, h.entity, h.record) for h in told} == {
        ("updated", "deal", made.id),
        ("updated", "deal_line", a.id),
        ("deleted", "deal_line", b.id),
    }
    assert {h.version for h in told if h.entity == "deal"} == {2}


def test_what_is_refused_did_not_happen(catalogue: Catalogue, crm: Tenant, told: list[Happening]) -> None:
    listen(crm)
    store = store_of(crm)
    with store.transaction():
        with pytest.raises(Refused):
            store.create("account", {"name": "x" * 41})
        store.create("account", {"name": "Good"})
    drain(catalogue, crm)
    assert [h.changes["name"][1] for h in told] == ["Good"]


def test_many_changes_ask_once(catalogue: Catalogue, crm: Tenant, told: list[Happening]) -> None:
    listen(crm)
    rows = [{"name": f"A{n}" if n % 10 else "x" * 41} for n in range(60)]
    store_of(crm).create_many("account", rows)
    assert written(crm) == 54
    assert state.depths(crm.database)[crm.role].waiting == 1
    drain(catalogue, crm)
    assert [h.changes["name"][1] for h in told] == [f"A{n}" for n in range(60) if n % 10]


def test_an_event_that_a_listener_falls_over_holds_up_no_other(
    catalogue: Catalogue, crm: Tenant, told: list[Happening]
) -> None:
    @listener("clumsy")
    def clumsy(connection: sa.Connection, tenant: Tenant, happened: Sequence[Happening]) -> None:
        if any(h.changes["name"][1] == "bad" for h in happened):
            raise ValueError("bad")
        connection.exec_driver_sql("INSERT INTO _sequence VALUES ('x', 'x', %s, 1)", (str(happened[0].id),))

    listen(crm)
    for name in ("one", "bad", "two"):
        store_of(crm).create("account", {"name": name})
    drain(catalogue, crm)
    assert [h.changes["name"][1] for h in told] == ["one", "bad", "two"]
    with crm.begin() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM _sequence").scalar_one() == 2
    assert state.depths(crm.database)[crm.role].later == 1
