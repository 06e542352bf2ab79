"""Running numbers: each once, whoever writes at the same moment; by year, by a field; imported ones kept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from tests.conftest import layers_of

from trellis.formula.reader import Reader
from trellis.records.hooks import Hooks
from trellis.records.principal import Principal
from trellis.records.refusal import Refused
from trellis.records.store import Store

YAML = """
entity: user
title: name
fields: {name: {type: text}}
---
entity: region
title: code
fields: {code: {type: text, required: true}}
---
entity: bill
title: number
fields:
  number: {type: sequence, mask: "R{yy}{mm}-{0000}", reset: month, gap_free: true, unique: true}
  what: {type: text}
---
entity: ticket
title: number
fields:
  number: {type: sequence, mask: "T-{000}", start: 100, unique: true}
  what: {type: text, unique: true}
---
entity: parcel
title: number
fields:
  number: {type: sequence, mask: "{region}-{yyyy}-{000}", reset: year, per: region}
  region: {type: link, to: region, required: true}
"""


@pytest.fixture(scope="module")
def tenant_for_all(catalogue):
    yield catalogue.create("records-sequences", layers_of(YAML, "records-sequences"), "test")
    catalogue.drop("records-sequences")


@pytest.fixture
def tenant(tenant_for_all):
    yield tenant_for_all
    tables = tenant_for_all.tables
    with tenant_for_all.begin() as connection:
        for key in ("bill", "ticket", "parcel", "region"):
            connection.execute(sa.delete(tables.entity[key]))
        connection.execute(sa.delete(tables.platform.sequence))


def at(tenant, moment="2026-03-31T12:00:00", hooks=None):
    now = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    return Store(tenant, Principal.system(Reader(now=now)), hooks=hooks)


@pytest.mark.parametrize("entity", ["bill", "ticket"])
def test_fifty_writers_at_once_get_fifty_numbers(tenant, entity):
    def write(n):
        return at(tenant).create(entity, {"what": str(n)})["number"]

    with ThreadPoolExecutor(50) as pool:
        numbers = list(pool.map(write, range(50)))
    start = {"bill": 1, "ticket": 100}[entity]
    wanted = {"bill": "R2603-{:04d}", "ticket": "T-{:03d}"}[entity]
    assert sorted(numbers) == [wanted.format(n) for n in range(start, start + 50)]


def test_counting_begins_anew_with_the_month(tenant):
    assert at(tenant).create("bill", {})["number"] == "R2603-0001"
    assert at(tenant).create("bill", {})["number"] == "R2603-0002"
    assert at(tenant, "2026-04-01T00:00:00").create("bill", {})["number"] == "R2604-0001"
    assert at(tenant).create("bill", {})["number"] == "R2603-0003"


def test_a_year_begins_for_everybody_at_the_tenants_midnight(tenant):
    far = Reader(now=datetime(2026, 12, 31, 23, 30, tzinfo=UTC), time_zone=ZoneInfo("Asia/Shanghai"))
    store = Store(tenant, Principal.system(far))
    region = store.create("region", {"code": "E"}).id
    assert store.create("parcel", {"region": region})["number"] == "E-2026-001"


def test_each_region_counts_for_itself_and_every_year(tenant):
    store = at(tenant)
    north, south = (store.create("region", {"code": code}).id for code in ("N", "S"))
    made = [store.create("parcel", {"region": r})["number"] for r in (north, south, north)]
    assert made == ["N-2026-001", "S-2026-001", "N-2026-002"]
    assert at(tenant, "2027-01-01T00:00:00").create("parcel", {"region": north})["number"] == "N-2027-001"


def test_a_number_that_is_brought_along_is_kept_and_the_counter_moves_past_it(tenant):
    store = at(tenant)
    assert store.create("ticket", {"number": "T-250", "what": "a"}, means="import")["number"] == "T-250"
    assert store.create("ticket", {"number": "OLD/7", "what": "b"}, means="import")["number"] == "OLD/7"
    assert store.create("ticket", {"what": "c"})["number"] == "T-251"
    store.create("ticket", {"number": "T-120", "what": "d"}, means="import")
    assert store.create("ticket", {"what": "e"})["number"] == "T-252"


def test_a_refused_save_takes_no_number(tenant):
    store = at(tenant)
    store.create("ticket", {"what": "a"})
    with pytest.raises(Refused):
        store.create("ticket", {"what": "a"})
    assert store.create("ticket", {"what": "b"})["number"] == "T-101"


@pytest.mark.parametrize(("entity", "next_one"), [("bill", "R2603-0001"), ("ticket", "T-101")])
def test_only_a_gap_free_number_comes_back_when_the_save_fails_at_the_very_end(tenant, entity, next_one):
    def fail(_events):
        raise RuntimeError("the very end")

    with pytest.raises(RuntimeError):
        at(tenant, hooks=Hooks(after=[fail])).create(entity, {"what": "x"})
    assert at(tenant).create(entity, {"what": "y"})["number"] == next_one


def test_a_long_import_holds_up_nobody_who_needs_a_number(tenant):
    slow = at(tenant)
    with slow.transaction():
        assert slow.create("ticket", {"what": "import"})["number"] == "T-100"
        with ThreadPoolExecutor(1) as pool:  # would wait for the transaction if it had to
            assert pool.submit(lambda: at(tenant).create("ticket", {"what": "other"})["number"]).result(5) == "T-101"


def test_a_trial_leaves_no_gap(tenant):
    store = at(tenant)
    store.session.is_trial = True

    def tried():
        with store.transaction():
            yield store.create("ticket", {"what": "tried"})["number"]
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        assert list(tried()) == ["T-100"]
    assert at(replace(tenant)).create("ticket", {"what": "meant"})["number"] == "T-100"


def test_nobody_writes_over_a_number_and_a_file_may_bring_another(tenant):
    admin = Store(tenant, Principal(Reader(), name="Ada", roles=frozenset({"admin"})))
    ticket = at(tenant).create("ticket", {"what": "a"})
    for given in ("T-300", None, ""):
        with pytest.raises(Refused, match="cannot be changed") as refused:
            admin.update("ticket", ticket.id, {"number": given}, means="api")
        assert [(f.code, f.field) for f in refused.value.faults] == [("readonly", "number")]
    assert admin.update("ticket", ticket.id, {"number": ticket["number"], "what": "b"}, means="api")["what"] == "b"
    assert admin.update("ticket", ticket.id, {"number": "T-300"}, means="import")["number"] == "T-300"
    assert admin.update("ticket", ticket.id, {"number": ""}, means="import")["number"] == "T-300"
    assert admin.create("ticket", {"what": "c"})["number"] == "T-301"
