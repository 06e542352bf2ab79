"""Named formats of a layer, durations between two moments, reminders."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.conftest import layers_of

from trellis.formula.reader import Reader
from trellis.formula.types import Ref
from trellis.records.principal import Principal
from trellis.records.refusal import Refused
from trellis.records.store import Store

YAML = """
format: dealer-no
label: dealer number
pattern: "D-[0-9]{4}"
case: upper
strip: " "
message: A dealer number looks like D-1234.
example: D-1234
---
format: plain-no
pattern: "[0-9]{3}"
---
entity: user
title: name
fields: {name: {type: text}, email: {type: email}}
---
entity: visit
title: subject
fields:
  subject: {type: text, required: true}
  dealer: {type: text, format: dealer-no, unique: true}
  code: {type: text, format: plain-no}
  begin: {type: datetime}
  finish: {type: datetime}
  length: {type: duration, between: [begin, finish]}
  alarms: {type: reminders, for: begin}
  first_day: {type: date}
  last_day: {type: date}
  days: {type: duration, between: [first_day, last_day]}
---
role: rep
grants: {visit: {read: all, create: true, update: all}}
allow: [import]
"""
TEN = datetime(2026, 5, 1, 10, tzinfo=UTC)


@pytest.fixture(scope="module")
def visits(catalogue):
    yield catalogue.create("records-steps", layers_of(YAML, "records-steps"), "test")
    catalogue.drop("records-steps")


@pytest.fixture(scope="module")
def store(visits):
    system = Store(visits, Principal.system(Reader()))
    user = system.create("user", {"name": "Rita"})
    reader = Reader(me=Ref("user", user.id), roles=frozenset({"rep"}))
    return Store(visits, Principal(reader, id=user.id, name="Rita", roles=frozenset({"rep"})))


def refused(call, *args, **kwargs):
    with pytest.raises(Refused) as found:
        call(*args, **kwargs)
    return found.value.faults


@pytest.mark.parametrize("means", ["page", "api", "import"])
def test_a_layers_own_format_binds_every_writer(store, means):
    [fault] = refused(store.create, "visit", {"subject": "x", "dealer": "1234"}, means=means)
    assert (fault.code, fault.field) == ("format", "dealer")
    assert str(fault) == "A dealer number looks like D-1234."
    [fault] = refused(store.create, "visit", {"subject": "x", "code": "12"}, means=means)
    assert (fault.code, fault.field) == ("format", "code")
    assert "12" in str(fault)


def test_a_format_tidies_what_is_stored_and_what_is_unique(store):
    made = store.create("visit", {"subject": "x", "dealer": "d- 77 01"})
    assert made["dealer"] == "D-7701"
    assert refused(store.create, "visit", {"subject": "y", "dealer": "D-7701"})[0].code == "unique"
    assert refused(store.create, "visit", {"subject": "y", "dealer": "d-7701"})[0].code == "unique"
    [outcome] = store.create_many("visit", [{"subject": "z", "dealer": "nonsense"}])
    assert (outcome.status, outcome.faults[0].field) == ("refused", "dealer")


def test_a_duration_follows_its_start_and_end(store):
    made = store.create("visit", {"subject": "x", "begin": TEN, "finish": TEN + timedelta(hours=2)})
    assert made["length"] == timedelta(hours=2)
    moved = store.update("visit", made.id, {"finish": TEN + timedelta(hours=3)})
    assert moved["length"] == timedelta(hours=3)
    longer = store.update("visit", made.id, {"length": "4h"})
    assert longer["finish"] == TEN + timedelta(hours=4)
    both = store.update("visit", made.id, {"begin": TEN + timedelta(hours=1), "length": "30 min"})
    assert both["finish"] == TEN + timedelta(hours=1, minutes=30)
    changed = {c.field for c in store.history("visit", made.id)[0].changes}
    assert changed == {"begin", "finish", "length"}


def test_a_start_or_end_comes_from_the_duration(store):
    assert store.create("visit", {"subject": "x", "begin": TEN, "length": "90 min"})["finish"] == TEN + timedelta(
        minutes=90
    )
    assert store.create("visit", {"subject": "x", "finish": TEN, "length": "1h"})["begin"] == TEN - timedelta(hours=1)
    alone = store.create("visit", {"subject": "x", "length": "1h"})
    assert (alone["length"], alone["begin"]) == (timedelta(hours=1), None)
    days = store.create("visit", {"subject": "x", "first_day": "2026-05-01", "days": "3 days"})
    assert str(days["last_day"]) == "2026-05-04"


def test_an_end_before_its_start_is_refused(store):
    [fault] = refused(store.create, "visit", {"subject": "x", "begin": TEN, "finish": TEN - timedelta(minutes=1)})
    assert (fault.code, fault.field) == ("range", "finish")


def test_reminders_are_lengths_of_time_before(store):
    made = store.create("visit", {"subject": "x", "begin": TEN, "alarms": ["1 day", 15]})
    assert made["alarms"] == (timedelta(minutes=15), timedelta(days=1))
    assert store.update("visit", made.id, {"alarms": []})["alarms"] is None
    assert refused(store.update, "visit", made.id, {"alarms": ["-5 min"]})[0].field == "alarms"
    assert refused(store.update, "visit", made.id, {"alarms": ["soon"]})[0].field == "alarms"


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("minutes(10) in alarms", ["both"]),
        ("minutes(10) not in alarms", ["one"]),
        ("hours(1) in alarms", ["both", "one"]),
        ("is_blank(alarms)", []),
    ],
)
def test_records_are_found_by_a_reminder(store, where, found):
    mark = f"of {where}"
    for name, alarms in (("both", ["10 min", "1 h"]), ("one", ["1 h"])):
        store.create("visit", {"subject": f"{name} {mark}", "begin": TEN, "alarms": alarms})
    page = store.list("visit", columns=["subject"], where=[f'ends_with(subject, "{mark}")', where])
    assert sorted(r["subject"].partition(" ")[0] for r in page.rows) == found
