from __future__ import annotations

import pytest
import sqlalchemy as sa

from trellis.records.refusal import Refused


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
