from __future__ import annotations

import pytest
import sqlalchemy as sa
from tests.conftest import layers_of

from trellis.formula.reader import Reader
from trellis.formula.types import Ref
from trellis.records.pipelines.stays import read_stays, time_in_stages
from trellis.records.principal import Principal
from trellis.records.refusal import Refused
from trellis.records.store import Store

TWO = """
entity: user
title: name
fields:
  name: {type: text, required: true}
---
entity: order
label: Order
fields:
  name: {type: text}
  margin: {type: percent}
---
pipeline: domestic
entity: order
default: true
stages:
  draft: {label: Draft, probability: 10}
  checked: {label: Checked, require: [margin]}
  done: {label: Done, type: won}
  stopped: {label: Stopped, type: lost}
moves:
  - {from: draft, to: [checked, stopped]}
  - {from: checked, to: done}
  - {from: [done, stopped], to: draft, roles: [boss]}
---
pipeline: export
entity: order
stages:
  asked: {label: Asked, probability: 5}
  draft: {label: Draft, probability: 30}
  done: {label: Shipped, type: won}
moves:
  - {from: asked, to: draft}
  - {from: draft, to: done, roles: [boss]}
---
role: rep
grants: {order: {read: all, create: true, update: all, fields: {margin: hidden}}}
---
role: boss
grants: {order: {read: all, create: true, update: all}}
"""


@pytest.fixture(scope="module")
def two_for_all(catalogue):
    yield catalogue.create("records-two", layers_of(TWO, "records-two"), "test")
    catalogue.drop("records-two")


@pytest.fixture
def two(two_for_all):
    return Store(two_for_all, Principal.system(Reader()))


@pytest.fixture
def person_in():
    def make(store, *roles):
        user = store.create("user", {"name": "Anna"})
        reader = Reader(me=Ref("user", user.id, "Anna"), roles=frozenset(roles), team_members=frozenset({user.id}))
        return Store(store.tenant, Principal(reader, id=user.id, name="Anna", roles=frozenset(roles)))

    return make


@pytest.fixture
def deal(system):
    account = system.create("account", {"name": "Acme"})
    return system.create("deal", {"name": "Pilot", "account": account.id})


def refused(call, *args, **kwargs):
    with pytest.raises(Refused) as found:
        call(*args, **kwargs)
    return found.value.faults


def test_a_new_record_starts_in_the_first_stage(deal):
    assert (deal["stage"], deal["stage_type"], deal["probability"]) == ("qualify", "open", 10)
    assert deal["stage_since"] is not None


def test_a_stage_asks_for_what_it_requires(system, deal):
    [fault] = refused(system.update, "deal", deal.id, {"stage": "proposal"})
    assert (fault.field, fault.code) == ("amount", "gate")
    assert "Proposal" in str(fault)
    moved = system.update("deal", deal.id, {"stage": "proposal", "amount": 10})
    assert (moved["stage"], moved["probability"]) == ("proposal", 40)


def test_a_move_that_is_not_allowed_is_refused(system, deal):
    [fault] = refused(system.update, "deal", deal.id, {"stage": "negotiate"})
    assert (fault.field, fault.code) == ("stage", "move")
    assert str(fault) == "“Qualify” cannot be followed by “Negotiate”."


def test_a_checklist_binds_when_its_stage_is_left_forward(system, deal):
    system.update("deal", deal.id, {"stage": "proposal", "amount": 10})
    system.update("deal", deal.id, {"stage": "negotiate"})
    [fault] = refused(system.update, "deal", deal.id, {"stage": "won"})
    assert fault.params["key"] == "negotiate.legal"
    won = system.update("deal", deal.id, {"stage": "won", "checklist": ["negotiate.legal"]})
    assert (won["stage_type"], won["probability"]) == ("won", 100)


def test_only_the_named_roles_make_a_move(system, person, deal):
    system.update("deal", deal.id, {"stage": "proposal", "amount": 10, "checklist": ["negotiate.legal"]})
    system.update("deal", deal.id, {"stage": "negotiate"})
    rita, mona = person("Rita", "rep"), person("Mona", "manager")
    system.update("deal", deal.id, {"owner": rita.principal.id})
    [fault] = refused(rita.update, "deal", deal.id, {"stage": "won"})
    assert fault.code == "forbidden"
    assert "Manager" in str(fault)
    assert mona.update("deal", deal.id, {"stage": "won"})["stage"] == "won"


def test_a_hand_set_probability_stays(system, deal):
    assert system.update("deal", deal.id, {"stage": "proposal", "amount": 1, "probability": 55})["probability"] == 55


def test_records_may_be_created_in_any_stage_but_keep_its_requirements(system, deal):
    account = deal["account"].id
    assert system.create("deal", {"name": "x", "account": account, "stage": "negotiate"})["probability"] == 70
    [fault] = refused(system.create, "deal", {"name": "y", "account": account, "stage": "proposal"})
    assert fault.field == "amount"
    assert system.create("deal", {"name": "z", "account": account, "stage": "won"})["stage_type"] == "won"


def test_the_stage_history_has_times(system, sales, deal):
    system.update("deal", deal.id, {"stage": "proposal", "amount": 10})
    table = sales.tables.platform.stage_history
    with system.transaction() as connection:
        rows = connection.execute(sa.select(table).where(table.c.record == deal.id).order_by(table.c.id)).all()
    assert [(r.stage, r.previous, r.left_at is None) for r in rows] == [
        ("qualify", None, False),
        ("proposal", "qualify", True),
    ]


def test_a_hand_set_probability_is_kept_while_the_record_is_open(system, deal):
    system.update("deal", deal.id, {"probability": 55})
    assert system.update("deal", deal.id, {"stage": "proposal", "amount": 1})["probability"] == 55
    system.update("deal", deal.id, {"stage": "negotiate"})
    won = system.update("deal", deal.id, {"stage": "won", "checklist": ["negotiate.legal"]})
    assert won["probability"] == 100


def test_a_form_that_sends_the_probability_unchanged_has_not_set_it(system, deal):
    moved = system.update("deal", deal.id, {"stage": "proposal", "amount": 1, "probability": deal["probability"]})
    assert moved["probability"] == 40


def test_a_stage_that_says_another_probability_by_now_has_not_been_overruled(system, sales, deal):
    table = sales.tables.platform.stage_history
    with system.transaction() as connection:  # as if “Qualify” had said 5 when the deal came in
        connection.execute(sa.update(table).where(table.c.record == deal.id).values(probability=5))
        deals = sales.tables.entity["deal"]
        connection.execute(sa.update(deals).where(deals.c.id == deal.id).values(probability=5))
    assert system.update("deal", deal.id, {"stage": "proposal", "amount": 1})["probability"] == 40


def test_what_a_stage_requires_cannot_be_emptied_there(system, deal):
    system.update("deal", deal.id, {"stage": "proposal", "amount": 10})
    [fault] = refused(system.update, "deal", deal.id, {"amount": None})
    assert (fault.field, fault.code) == ("amount", "gate")


def test_a_condition_that_is_not_met_names_the_fields_it_looks_at(system, deal):
    system.update("deal", deal.id, {"stage": "proposal", "amount": 0, "checklist": ["negotiate.legal"]})
    system.update("deal", deal.id, {"stage": "negotiate"})
    [fault] = refused(system.update, "deal", deal.id, {"stage": "won"})
    assert fault.code == "move"
    assert "“Negotiate” to “Won” is not met. It looks at: Amount." in str(fault)


def test_bulk_and_import_are_refused_by_the_same_words(system, deal):
    [bulk] = system.update_where("deal", {"stage": "negotiate"}, where=[f'id == "{deal.id}"'])
    assert str(bulk.faults[0]) == "“Qualify” cannot be followed by “Negotiate”."
    rows = [{"name": "Row", "account": deal["account"].id, "stage": "proposal"}]
    [row] = system.create_many("deal", rows, means="import")
    assert (row.faults[0].field, str(row.faults[0])) == ("amount", "“Amount” is needed for the stage “Proposal”.")


def test_whoever_may_not_see_what_is_needed_is_told_so_without_its_name(two, person_in):
    account = two.create("order", {"name": "x"})
    rep = person_in(two, "rep")
    [fault] = refused(rep.update, "order", account.id, {"stage": "checked"})
    assert (fault.field, fault.code) == ("stage", "forbidden")
    assert "Margin" not in str(fault)


def test_a_record_of_another_pipeline_begins_at_its_beginning(two):
    assert two.create("order", {"name": "x", "pipeline": "export"})["stage"] == "asked"
    assert two.create("order", {"name": "x", "pipeline": "export", "stage": "draft"})["probability"] == 30
    [fault] = refused(two.create, "order", {"name": "x", "stage": "asked"})
    assert str(fault) == "There is no stage “asked” in the pipeline “Domestic”."


def test_a_record_goes_to_another_pipeline_with_a_stage_of_it(two):
    order = two.create("order", {"name": "x"})
    moved = two.update("order", order.id, {"pipeline": "export", "stage": "draft"})
    assert (moved["stage"], moved["probability"]) == ("draft", 30)  # the same key, another stage
    assert [(s.pipeline, s.stage, s.left is None) for s in read_stays(two, "order", order.id, "stage")] == [
        ("domestic", "draft", False),
        ("export", "draft", True),
    ]
    back = two.update("order", order.id, {"pipeline": "domestic"})
    assert (back["stage"], back["probability"]) == ("draft", 10)
    [fault] = refused(two.update, "order", order.id, {"pipeline": "export", "stage": "checked"})
    assert fault.code == "move"


def test_another_pipeline_is_no_way_round_the_roles_of_a_move(two, person_in):
    rep, boss = person_in(two, "rep"), person_in(two, "boss")
    order = two.create("order", {"name": "x"})
    [fault] = refused(rep.update, "order", order.id, {"pipeline": "export", "stage": "done"})
    assert (fault.code, "Boss" in str(fault)) == ("forbidden", True)
    two.update("order", order.id, {"stage": "stopped"})
    [fault] = refused(rep.update, "order", order.id, {"pipeline": "export"})
    assert fault.code == "forbidden"
    assert boss.update("order", order.id, {"pipeline": "export"})["stage"] == "asked"


def test_who_reopens_takes_time_and_probability_anew(two, person_in):
    order = two.create("order", {"name": "x"})
    stopped = two.update("order", order.id, {"stage": "stopped"})
    assert (stopped["stage_type"], stopped["probability"]) == ("lost", 0)
    assert refused(person_in(two, "rep").update, "order", order.id, {"stage": "draft"})[0].code == "forbidden"
    reopened = person_in(two, "boss").update("order", order.id, {"stage": "draft"})
    assert (reopened["stage_type"], reopened["probability"]) == ("open", 10)
    assert reopened["stage_since"] > stopped["stage_since"]
    stays = read_stays(two, "order", order.id, "stage")
    assert [s.stage for s in stays] == ["draft", "stopped", "draft"]
    spent = time_in_stages(stays, "domestic", reopened["stage_since"])
    assert spent["draft"] == stays[0].left - stays[0].entered
