"""Scores: what a record is counts in its own save, what happens to it in that of the event, and time takes of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import layers_of

import trellis.automation.scoring.engine  # noqa: F401 (takes part in saves)
from trellis.automation.clock import moved, now
from trellis.automation.scoring import earning, striking
from trellis.automation.scoring.earning import Account
from trellis.automation.scoring.explaining import why
from trellis.formula.reader import Reader
from trellis.model.scoring import Scoring
from trellis.records.principal import Principal
from trellis.records.refusal import Refused
from trellis.records.store import Store
from trellis.storage.apply import apply
from trellis.storage.catalogue import Catalogue
from trellis.storage.plan import plan
from trellis.storage.tenant import Tenant

CRM = """
entity: lead
title: name
fields:
  name: {type: text, required: true}
  company: {type: text}
  budget: {type: integer}
  closed: {type: boolean, default: false}
  score: {type: integer, default: 0, min: 0, max: 100}
---
entity: call
title: subject
fields:
  subject: {type: text, required: true}
  reached: {type: boolean}
  lead: {type: link, to: lead, inverse: calls}
---
scoring: lead-score
entity: lead
field: score
filter: not closed
fit:
  company: {label: Has a company, when: not is_blank(company), points: 10}
  money:   {label: Has money, when: budget > 1000, points: 20}
behaviour:
  called:  {label: Was reached, on: {record: call, created: true}, of: =lead, when: reached, points: 15, at_most: 40}
  dropped:
    {label: Lost its money, on: {record: lead, changed: [budget]}, of: =record, when: budget < old.budget, points: -5}
decay: {points: 10, every: 14 days}
"""
DAY = datetime(2026, 1, 5, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def tenant(catalogue: Catalogue) -> Iterator[Tenant]:
    yield catalogue.create("scored", layers_of(CRM, "scored"), "test")
    catalogue.drop("scored")


def store(tenant: Tenant, moment: datetime = DAY) -> Store:
    """The system's hand at a moment."""
    return Store(tenant, Principal.system(Reader(now=moment)))


def score(tenant: Tenant, id: UUID) -> object:
    """The score that is stored."""
    return store(tenant).read("lead", id, fields=["score"])["score"]


def call(tenant: Tenant, lead: UUID, moment: datetime = DAY, *, reached: bool = True) -> None:
    """Log a call."""
    store(tenant, moment).create("call", {"subject": "Hello", "lead": str(lead), "reached": reached})


def wait(tenant: Tenant, until: datetime) -> None:
    """Let time take what it takes."""
    with moved(until - now()), tenant.begin() as connection:
        while striking.wear_due(connection, tenant):
            pass


def test_what_a_record_is_counts_in_its_own_save(tenant: Tenant) -> None:
    door = store(tenant)
    lead = door.create("lead", {"name": "Ann", "company": "Acme"})
    assert lead["score"] == 10
    assert door.update("lead", lead.id, {"budget": 5000})["score"] == 30
    assert len(door.history("lead", lead.id)) == 2
    many = door.create_many("lead", [{"name": "Bea", "budget": 2000}], means="import")
    assert score(tenant, many[0].id) == 20


def test_what_happens_counts_up_to_its_most_and_wears_off(tenant: Tenant) -> None:
    lead = store(tenant).create("lead", {"name": "Cleo", "company": "Acme"}).id
    told = []
    for hour in range(4):
        call(tenant, lead, DAY + timedelta(hours=hour))
        told.append(score(tenant, lead))
    call(tenant, lead, reached=False)
    assert told == [25, 40, 50, 50]
    assert score(tenant, lead) == 50
    last = DAY + timedelta(hours=3)
    for days, expected in ((13, 50), (14, 40), (28, 30), (41, 30), (42, 20), (200, 10)):
        wait(tenant, last + timedelta(days=days, minutes=1))
        assert score(tenant, lead) == expected, days
    call(tenant, lead, DAY + timedelta(days=201))
    assert score(tenant, lead) == 25


def test_points_may_be_lost_and_the_old_value_is_known(tenant: Tenant) -> None:
    door = store(tenant)
    lead = door.create("lead", {"name": "Dora", "company": "Acme", "budget": 9000}).id
    door.update("lead", lead, {"budget": 8000})
    assert score(tenant, lead) == 25
    door.update("lead", lead, {"budget": 8500})
    assert score(tenant, lead) == 25


def test_it_is_written_only_when_it_changes_and_says_so(tenant: Tenant) -> None:
    door = store(tenant)
    lead = door.create("lead", {"name": "Eve"}).id
    call(tenant, lead, reached=False)
    assert door.read("lead", lead).version == 1
    call(tenant, lead)
    entry = door.history("lead", lead)[0]
    assert (entry.cause, [(c.field, c.old, c.new) for c in entry.changes]) == (
        {"scoring": "lead-score"},
        [("score", 0, 15)],
    )


def test_nobody_types_a_score(tenant: Tenant) -> None:
    lead = store(tenant).create("lead", {"name": "Fay"}).id
    person = Store(tenant, Principal(Reader(roles=frozenset({"admin"})), roles=frozenset({"admin"})))
    with pytest.raises(Exception, match=r"(?i)score|readonly|set|may"):
        person.update("lead", lead, {"score": 99})
    assert score(tenant, lead) == 0


def test_what_the_filter_leaves_out_keeps_its_score(tenant: Tenant) -> None:
    door = store(tenant)
    lead = door.create("lead", {"name": "Gail", "company": "Acme"}).id
    door.update("lead", lead, {"closed": True, "company": None})
    call(tenant, lead)
    assert score(tenant, lead) == 10
    assert door.update("lead", lead, {"closed": False})["score"] == 15


def test_it_says_why(tenant: Tenant) -> None:
    lead = store(tenant).create("lead", {"name": "Hope", "company": "Acme"}).id
    for hour in range(2):
        call(tenant, lead, DAY + timedelta(hours=hour))
    told = why(store(tenant, DAY + timedelta(days=20)), "lead", lead, "score")
    assert [(str(p.label), p.points, p.holds) for p in told.fit] == [
        ("Has a company", 10, True),
        ("Has money", 20, False),
    ]
    called = told.behaviour[0]
    assert (called.n, called.points, called.lost, called.most) == (2, 20, 10, 40)
    assert told.next_loss == DAY + timedelta(hours=1, days=28)


def test_what_happened_to_merged_records_has_happened_to_the_one(tenant: Tenant) -> None:
    door = store(tenant)
    winner, loser = (door.create("lead", {"name": "Kim", "company": "Acme"}).id for _ in range(2))
    for lead in (winner, loser, loser):
        call(tenant, lead)
    door.merge("lead", winner, [loser])
    assert score(tenant, winner) == 50
    called = why(store(tenant), "lead", winner, "score").behaviour[0]
    assert (called.n, called.points) == (3, 40)


def test_a_locked_record_does_not_undo_what_happens_to_it(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    from trellis.records.writing import write

    lead = store(tenant).create("lead", {"name": "Ida"}).id
    with monkeypatch.context() as patch:

        def refuse(*args: object, **kw: object) -> None:
            raise Refused([])

        patch.setattr(write, "update", refuse)
        call(tenant, lead)
    assert store(tenant).count("call", where=[f'lead.id == "{lead}"']).n == 1


def test_a_new_configuration_counts_everything_anew(catalogue: Catalogue) -> None:
    slug = "scored-anew"
    made = catalogue.create(slug, layers_of(CRM, slug), "test")
    try:
        lead = store(made).create("lead", {"name": "Joy", "company": "Acme"}).id
        call(made, lead, now())
        text = CRM.replace("points: 10}\n  money", "points: 12}\n  money")
        made = apply(catalogue, plan(catalogue.get(slug), layers_of(text, slug)), "test")
        with made.begin() as connection:
            assert striking.recount_some(connection, made, "lead-score") is None
        assert score(made, lead) == 27
    finally:
        catalogue.drop(slug)


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 60)), max_size=12))
def test_time_never_takes_more_than_was_earned(happened: list[tuple[int, int]]) -> None:
    scoring = SCORING
    account, moment = Account(DAY), DAY
    for which, days in happened:
        moment += timedelta(days=days)
        account = earning.earn(scoring, account, scoring.behaviour[which], moment)
        called = account.earned.get("called")
        assert called is None or Decimal(0) <= called.points <= 40
    worn = earning.wear(scoring, account, moment + timedelta(days=3650))
    assert worn.total <= 0
    assert earning.due_at(scoring, worn) is None
    assert earning.from_json(worn.at, earning.to_json(worn)) == worn


def _scoring() -> Scoring:
    from trellis.model.compile import compile_layers

    model = compile_layers(layers_of(CRM)).model
    assert model is not None
    return model.scorings["lead-score"]


SCORING = _scoring()
