from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from trellis.records.principal import Principal
from trellis.records.refusal import Missing, Refused
from trellis.records.store import Store

START = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.fixture
def at(system: Store) -> Callable[[int], Store]:
    """The system's door at a later hour of one day."""

    def make(hour: int) -> Store:
        reader = replace(system.principal.reader, now=START + timedelta(hours=hour))
        return Store(system.tenant, replace(system.principal, reader=reader))

    return make


def hour(n: float) -> datetime:
    return START + timedelta(hours=n)


@pytest.fixture
def deal(at):
    account = at(0).create("account", {"name": "Acme", "city": "Kiel"})
    other = at(0).create("account", {"name": "Other"})
    lines = [{"product": "pen", "price": 2, "quantity": 3}, {"product": "ink", "price": 5}]
    deal = at(1).create("deal", {"name": "Pilot", "account": account.id, "amount": 100, "lines": lines})
    pen, _ink = at(1).lines("deal", deal.id, "lines")
    at(2).update("deal", deal.id, {"name": "Pilot 2", "stage": "proposal", "account": other.id})
    new = [{"id": pen.id, "quantity": 4}, {"product": "cap", "price": 1}]
    at(3).update("deal", deal.id, {"amount": 300, "close_date": "2026-05-01", "lines": new})
    return deal


def test_fields_links_and_stage_read_as_they_were(at, deal):
    then = at(9).read("deal", deal.id, as_of=hour(1.5))
    assert (then["name"], then["stage"], then["amount"].amount) == ("Pilot", "qualify", 100)
    assert then["account"].title == "Acme"
    assert then["close_date"] is None
    assert (then.title, then.version) == ("Pilot", 1)
    later = at(9).read("deal", deal.id, as_of=hour(2))
    assert (later["name"], later["stage"], later["amount"].amount, later.version) == ("Pilot 2", "proposal", 100, 2)


def test_now_reads_as_the_record_is(at, deal):
    now, today = at(9).read("deal", deal.id, as_of=hour(9)), at(9).read("deal", deal.id)
    known = [name for name in today if name not in now.unknown]
    assert {name: now[name] for name in known} == {name: today[name] for name in known}


def test_lines_and_what_they_add_up_to_read_as_they_were(at, deal):
    then = at(9).read("deal", deal.id, as_of=hour(2))
    assert [(r["product"], r["quantity"]) for r in then.lines["lines"]] == [("pen", 3), ("ink", 1)]
    assert then["lines_total"].amount == 11
    now = at(9).read("deal", deal.id, as_of=hour(3))
    assert [(r["product"], r["quantity"]) for r in now.lines["lines"]] == [("pen", 4), ("cap", 1)]
    assert now["lines_total"].amount == 9


def test_formulas_of_its_own_fields_are_computed_of_the_values_of_the_time(at, deal):
    assert at(9).read("deal", deal.id, as_of=hour(1.5))["expected"].amount == 10  # 10 % of 100
    assert at(9).read("deal", deal.id, as_of=hour(2.5))["expected"].amount == 40


def test_what_follows_from_other_records_is_said_to_be_unknown(at, deal):
    then = at(9).read("deal", deal.id, as_of=hour(1.5))
    assert then.unknown >= {"industry", "buyers", "updated_at"}  # over a link, over contacts, kept nowhere
    assert then["industry"] is None
    assert not then.unknown & {"name", "expected", "lines_total", "account"}


def test_before_it_was_there_nothing_is_found(at, deal):
    with pytest.raises(Missing):
        at(9).read("deal", deal.id, as_of=hour(0.5))


def test_a_deleted_record_reads_as_it_was(at, deal):
    at(4).delete("deal", deal.id)
    then = at(9).read("deal", deal.id, as_of=hour(3.5))
    assert (then.deleted_at, [r["product"] for r in then.lines["lines"]]) == (None, ["pen", "cap"])
    assert at(9).read("deal", deal.id, as_of=hour(5)).deleted_at is not None


def test_links_made_and_taken_away_read_as_they_were(at, deal):
    anna = at(0).create("contact", {"name": "Anna"})
    at(5).link("deal", deal.id, "contacts", anna.id)
    at(6).unlink("deal", deal.id, "contacts", anna.id)
    read = lambda h: [ref.title for ref in at(9).read("deal", deal.id, as_of=hour(h))["contacts"] or ()]  # noqa: E731
    assert (read(4.5), read(5.5), read(6.5)) == ([], ["Anna"], [])


def test_what_a_person_may_not_see_leaves_no_trace(at, sales, person):
    principal = person("Rae", "rep").principal
    rep = Store(sales, replace(principal, reader=replace(principal.reader, now=hour(9))))
    record = at(0).create("account", {"name": "Mine", "owner": principal.id, "phone": "+49 431 1234567"})
    at(1).update("account", record.id, {"margin": 5, "secret_note": "hush", "phone": "+49 431 7654321"})
    at(2).update("account", record.id, {"margin": 9, "secret_note": "loud"})
    then = rep.read("account", record.id, as_of=hour(1.5))
    assert not {"margin", "secret_note"} & set(then)
    assert not {"margin", "secret_note"} & then.unknown
    before = rep.read("account", record.id, as_of=hour(0.5))["phone"]
    assert "•" in before
    assert "123456" not in before
    with pytest.raises(Missing):
        person("Sam", "rep").read("account", record.id, as_of=hour(1.5))


def test_titles_of_linked_records_are_those_the_reader_may_know(at, sales, deal, person):
    rep = person("Rae", "rep")
    principal: Principal = rep.principal
    at(7).update("deal", deal.id, {"owner": principal.id})
    then = rep.read("deal", deal.id, as_of=hour(1.5))
    assert then["account"].title is None


def test_links_read_with_what_they_kept_and_are_given_back_with_it(at):
    account = at(0).create("account", {"name": "Acme"})
    anna, bert, cleo = (at(0).create("contact", {"name": n}).id for n in ("Anna", "Bert", "Cleo"))
    given = [{"id": anna, "part": "buyer"}, {"id": bert, "part": "user"}, cleo]
    deal = at(1).create("deal", {"name": "Pilot", "account": account.id, "contacts": given})
    at(2).update("deal", deal.id, {"contacts": [{"id": anna, "part": "user"}, {"id": cleo, "part": "buyer"}]})
    at(3).unlink("deal", deal.id, "contacts", anna)

    def kept(when: float) -> dict[str, str | None]:
        then = at(9).read("deal", deal.id, as_of=hour(when))
        return {ref.title: then.kept["contacts"].get(ref.id, {}).get("part") for ref in then["contacts"]}

    assert kept(1.5) == {"Anna": "buyer", "Bert": "user", "Cleo": None}
    assert kept(2.5) == {"Anna": "user", "Cleo": "buyer"}
    assert kept(3.5) == {"Cleo": "buyer"}
    at(9).give_back("deal", deal.id, hour(1.5), ["contacts"])
    assert kept(9.5) == {"Anna": "buyer", "Bert": "user", "Cleo": None}
    assert at(9).read("deal", deal.id)["buyers"] == 1


def test_what_is_hidden_today_was_hidden_then(system: Store, person: Callable[..., Store]) -> None:
    anna = person("Anna", "rep")
    account = anna.create("account", {"name": "Acme"})
    system.update("account", account.id, {"secret_note": "theirs"})
    for as_of in (None, datetime.now(UTC) + timedelta(hours=1)):
        with pytest.raises(Refused, match="secret_note"):
            anna.read("account", account.id, fields=["name", "secret_note"], as_of=as_of)
        assert "secret_note" not in anna.read("account", account.id, as_of=as_of)
