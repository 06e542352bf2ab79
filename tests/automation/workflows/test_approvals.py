"""Approvals beyond yes and no: managers, somebody else, sending back, letters, locks with exceptions, nobody to ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from tests.automation.workflows.test_people import ENTITIES, at, told
from tests.automation.workflows.test_runs import runs, work
from tests.conftest import layers_of

from trellis.automation import notices
from trellis.automation.clock import moved, now
from trellis.automation.workflows import answers, approvals, passing_on, urging
from trellis.automation.workflows.answers import as_json
from trellis.formula.reader import Reader
from trellis.formula.types import Ref
from trellis.model.field import Field
from trellis.model.fields.registry import make_type
from trellis.model.text import Text
from trellis.records.refusal import Refused
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant

FLOW = """
workflow: {key}
on: {{record: quote, changed: [remark]}}
when: remark == "{key}"
steps:
  - approve: {{{options}}}
    as: decision
  - set: {{state: '=case(decision.outcome == "approved", "approved", "rejected")', needs: =decision.outcome}}
"""
FLOWS = {
    "both": "by: {role: boss}",
    "turns": "by: {role: boss}, order: in-turn",
    "anyone": "by: {role: boss}, need: any",
    "chain": "by: [{managers: =owner, levels: 2}], order: in-turn",
    "locked": "by: {role: boss}, need: any, lock: {edit: [=owner, approvers]}",
    "pass": "by: {role: ghost}, nobody: approve",
    "stop": "by: {role: ghost}, nobody: reject",
    "admins": "by: {role: ghost}, nobody: admin",
}
Person = Callable[..., UUID]


@pytest.fixture(scope="module")
def tenant(catalogue: Catalogue) -> Iterator[Tenant]:
    flows = "---".join(FLOW.format(key=key, options=options) for key, options in FLOWS.items())
    text = f"{ENTITIES}---\nrole: ghost\n---{flows}"
    made = catalogue.create("approvals", layers_of(text, "approvals"), "test")
    yield made
    catalogue.drop("approvals")


@pytest.fixture
def people(tenant: Tenant) -> Iterator[Person]:
    """Makes people, who are gone after the test, so that nobody else is asked in the next."""
    made: list[UUID] = []

    def make(name: str, *roles: str, **values: Any) -> UUID:
        email = f"{uuid4().hex[:8]}@x.example"
        made.append(at(tenant).create("user", {"name": name, "email": email, "roles": list(roles), **values}).id)
        return made[-1]

    yield make
    for id in made:
        at(tenant).update("user", id, {"active": False})


def begin(catalogue: Catalogue, tenant: Tenant, key: str, rep: UUID, **values: Any) -> Ref:
    """A quote about which the workflow of that name asks."""
    quote = at(tenant, rep).create("quote", {"name": "Q", **values})
    at(tenant, rep).update("quote", quote.id, {"remark": key})
    work(catalogue, tenant)
    return quote.ref


def asked(tenant: Tenant, quote: Ref) -> dict[UUID, UUID]:
    """Who is asked about it now: what each is asked, by person."""
    table = tenant.tables.platform.approval
    with tenant.begin() as connection:
        same = table.c.record == quote.id, table.c.state == "pending"
        return {row.user: row.id for row in connection.execute(sa.select(table).where(*same))}


def decide(
    catalogue: Catalogue, tenant: Tenant, quote: Ref, user: UUID, outcome: Any = "approved", **more: Any
) -> None:
    with tenant.begin() as connection:
        approvals.decide(connection, tenant, asked(tenant, quote)[user], user, outcome, **more)
    work(catalogue, tenant)


def state(tenant: Tenant, quote: Ref) -> tuple[str, str | None]:
    row = at(tenant).read("quote", quote.id)
    return row["state"], row["needs"]


def test_managers_are_asked_upwards_and_one_who_has_left_is_passed_over(
    catalogue: Catalogue, tenant: Tenant, people: Person
) -> None:
    top = people("Top")
    high = people("High", manager=Ref("user", top))
    gone = people("Gone", manager=Ref("user", high), active=False)
    rep = people("Rep", "rep", manager=Ref("user", gone))
    quote = begin(catalogue, tenant, "chain", rep, owner=Ref("user", rep))
    assert [*asked(tenant, quote)] == [high]
    decide(catalogue, tenant, quote, high)
    assert [*asked(tenant, quote)] == [top]
    decide(catalogue, tenant, quote, top)
    assert state(tenant, quote) == ("approved", "approved")


def test_only_somebody_who_can_decide_is_asked_in_ones_place(
    catalogue: Catalogue, tenant: Tenant, people: Person
) -> None:
    ada, bob, rep, free = people("Ada", "boss"), people("Bob", "boss"), people("Rep", "rep"), people("Free")
    away = people("Away", active=False)
    quote = begin(catalogue, tenant, "both", rep)
    mine = asked(tenant, quote)[ada]
    for to, why in (
        (uuid4(), "does not work here"),
        (away, "does not work here"),
        (bob, "asked already"),
        (ada, "asked already"),
        (rep, "has asked for it"),
    ):
        for pass_on in (passing_on.delegate, passing_on.add):
            with tenant.begin() as connection, pytest.raises(Refused, match=why):
                pass_on(connection, tenant, mine, ada, to)
    with tenant.begin() as connection:
        passing_on.delegate(connection, tenant, mine, ada, free)
    assert set(asked(tenant, quote)) == {bob, free}


@pytest.mark.parametrize(("when", "order"), [("before", ["free", "ada"]), ("after", ["ada", "free"])])
def test_somebody_is_asked_before_or_after_one(
    catalogue: Catalogue, tenant: Tenant, people: Person, when: Any, order: list[str]
) -> None:
    who = {"ada": people("Ada", "boss"), "free": people("Free")}
    bob, rep = people("Bob", "boss"), people("Rep", "rep")
    quote = begin(catalogue, tenant, "turns", rep)
    with tenant.begin() as connection:
        passing_on.add(connection, tenant, asked(tenant, quote)[who["ada"]], who["ada"], who["free"], when)
    for user in (*(who[name] for name in order), bob):
        assert [*asked(tenant, quote)] == [user]
        decide(catalogue, tenant, quote, user)
    assert state(tenant, quote) == ("approved", "approved")


def test_somebody_beside_one_counts_like_everybody(catalogue: Catalogue, tenant: Tenant, people: Person) -> None:
    ada, free, rep = people("Ada", "boss"), people("Free"), people("Rep", "rep")
    quote = begin(catalogue, tenant, "both", rep)
    with tenant.begin() as connection:
        passing_on.add(connection, tenant, asked(tenant, quote)[ada], ada, free, "beside")
    decide(catalogue, tenant, quote, ada)
    assert state(tenant, quote)[0] == "draft"
    decide(catalogue, tenant, quote, free, "rejected")
    assert state(tenant, quote) == ("rejected", "rejected")


def test_it_is_sent_back_with_a_reason_to_who_has_asked(catalogue: Catalogue, tenant: Tenant, people: Person) -> None:
    ada, bob, rep = people("Ada", "boss"), people("Bob", "boss"), people("Rep", "rep")
    quote = begin(catalogue, tenant, "both", rep)
    with tenant.begin() as connection, pytest.raises(Refused, match="Say what is missing"):
        approvals.decide(connection, tenant, asked(tenant, quote)[ada], ada, "returned")
    decide(catalogue, tenant, quote, ada, "returned", comment="Which currency?")
    assert asked(tenant, quote) == {}
    assert state(tenant, quote) == ("rejected", "returned")
    assert told(tenant, rep) == ["Ada sends it back: Both: Q. Which currency?"]
    assert told(tenant, bob) == ["Both: Q"]


def test_while_it_is_locked_those_whom_the_step_names_may_edit(
    catalogue: Catalogue, tenant: Tenant, people: Person
) -> None:
    ada, free, owner, rep = people("Ada", "boss"), people("Free"), people("Owner"), people("Rep", "rep")
    quote = begin(catalogue, tenant, "locked", rep, owner=Ref("user", owner))
    for user in (rep, free):
        with pytest.raises(Refused, match="waits for an approval"):
            at(tenant, user).update("quote", quote.id, {"name": "No"})
    for user in (ada, owner):
        at(tenant, user).update("quote", quote.id, {"name": "Yes"})
    with tenant.begin() as connection:
        passing_on.delegate(connection, tenant, asked(tenant, quote)[ada], ada, free)
    at(tenant, free).update("quote", quote.id, {"name": "Now"})


@pytest.mark.parametrize(("key", "outcome"), [("pass", "approved"), ("stop", "rejected")])
def test_where_there_is_nobody_the_step_says_what_is_done(
    catalogue: Catalogue, tenant: Tenant, people: Person, key: str, outcome: str
) -> None:
    quote = begin(catalogue, tenant, key, people("Rep", "rep"))
    assert state(tenant, quote) == (outcome, outcome)
    assert runs(tenant)[-1].error is None


def test_where_there_is_nobody_administrators_may_be_asked(
    catalogue: Catalogue, tenant: Tenant, people: Person
) -> None:
    admin, rep = people("Admin", "admin"), people("Rep", "rep")
    quote = begin(catalogue, tenant, "admins", rep)
    assert admin in asked(tenant, quote)


def test_a_letters_link_works_while_it_is_asked_and_for_whom_it_was_written(
    catalogue: Catalogue, tenant: Tenant, people: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(approvals, "address_of", lambda tenant: "https://crm.example")
    tell = approvals.notices.tell

    def catch(*given: Any, **more: Any) -> None:
        sent.extend(more.get("button", {}).values())
        tell(*given, **more)

    monkeypatch.setattr(approvals.notices, "tell", catch)
    ada, rep = people("Ada", "boss"), people("Rep", "rep")
    quote = begin(catalogue, tenant, "anyone", rep)
    [link] = sent
    secret = link.removeprefix("https://crm.example/approvals/by-mail/")
    with tenant.begin() as connection:
        assert approvals.by_link(connection, tenant, "no" + secret, now()) is None
        assert approvals.by_link(connection, tenant, secret, now() + timedelta(days=31)) is None
        found = approvals.by_link(connection, tenant, secret, now())
        assert found is not None
        assert found["user"] == ada
        stored = connection.execute(sa.select(tenant.tables.platform.approval.c.token)).scalars()
        assert secret not in [*stored]  # only what it is recognised by
    decide(catalogue, tenant, quote, ada)
    with tenant.begin() as connection:
        assert approvals.by_link(connection, tenant, secret, now()) is None


def test_answers_are_parsed_and_checked_alike_wherever_they_are_given() -> None:
    form = {
        "rate": Field("rate", make_type("percent", {"max": 50}), Text("Rate"), required=True),
        "why": Field("why", make_type("text", {"max_length": 5}), Text("Why")),
        "day": Field("day", make_type("date"), Text("Day")),
    }
    values, wrong = answers.read(form, {"rate": "60", "why": "too long", "day": "nonsense"}, Reader())
    assert sorted(fault.field or "" for fault in wrong) == ["day", "rate", "why"]
    assert [fault.field for fault in answers.read(form, {}, Reader())[1]] == ["rate"]
    values, wrong = answers.read(form, {"rate": "12.5", "day": "2026-01-02"}, Reader())
    assert wrong == []
    assert as_json(form, values)["day"] == "2026-01-02"


def test_who_has_asked_may_urge_those_who_are_asked_but_not_all_the_time(
    catalogue: Catalogue, tenant: Tenant, people: Person
) -> None:
    rep, boss = people("Rep", "rep"), people("Boss", "boss")
    quote = begin(catalogue, tenant, "both", rep)
    [run] = [row for row in runs(tenant) if row.record == quote.id]

    def urge(by: UUID) -> list[UUID]:
        with tenant.begin() as connection:
            return urging.urge(connection, tenant, run.id, by)

    with pytest.raises(Refused, match="They have just been told"):
        urge(rep)
    with moved(timedelta(hours=3)):
        with pytest.raises(approvals.NotAsked):
            urge(boss)
        assert urge(rep) == [boss]
        with pytest.raises(Refused):
            urge(rep)
    before, urged = told(tenant, boss)
    assert urged == f"Rep waits for your decision: {before}"
    decide(catalogue, tenant, quote, boss)
    with tenant.begin() as connection:
        assert notices.unread(connection, tenant, boss) == 0
    with moved(timedelta(hours=9)), pytest.raises(approvals.NotAsked):
        urge(rep)
