"""Stages that are gone, or of another type: their records go where the configuration says, and nowhere unasked."""

from __future__ import annotations

import pytest
from tests.conftest import layers_of
from tests.storage.test_plan import insert, run

from trellis.storage.apply import WouldDestroy, apply
from trellis.storage.plan import plan, plan_revision

LOANS = """
entity: loan
label: Loan
fields:
  name: {type: text}
---
pipeline: lending
entity: loan
default: true
stages:
  asked: {label: Asked, probability: 10}
  lent:  {label: Lent, probability: 60}
  back:  {label: Back, type: done}
---
pipeline: gifts
entity: loan
stages:
  wrapped: {label: Wrapped}
  given:   {label: Given, type: won}
"""
LENT = "  lent:  {label: Lent, probability: 60}\n"
GIFTS = LOANS[LOANS.index("---\npipeline: gifts") :]


@pytest.fixture
def loans(make_tenant):
    """Three loans and a gift, each with its stay in the stage history."""
    tenant = make_tenant(LOANS)
    for name, pipeline, stage in (
        ("A", "lending", "lent"),
        ("B", None, "lent"),
        ("C", "lending", "back"),
        ("D", "gifts", "given"),
    ):
        id = insert(tenant, "loan", name=name, pipeline=pipeline, stage=stage, stage_type="open", probability=60)
        run(
            tenant,
            "INSERT INTO _stage_history (entity, record, field, pipeline, stage, stage_type)"
            " VALUES ('loan', %s, 'stage', %s, %s, 'open')",
            id,
            pipeline or "lending",
            stage,
        )
    return tenant


def planned(tenant, text):
    return plan(tenant, layers_of(text, tenant.slug))


def test_a_stage_with_records_does_not_go_unasked(loans, catalogue):
    [step] = planned(loans, LOANS.replace(LENT, "")).steps
    assert step.text.startswith(
        "2 rows of loan in the stage lent, which is gone, go to asked, the first one: say where"
    )
    assert "removed: {lent: …}" in step.text
    with pytest.raises(WouldDestroy):
        apply(catalogue, planned(loans, LOANS.replace(LENT, "")), "test")
    assert run(loans, "SELECT count(*) FROM loan WHERE stage = 'lent'") == [(2,)]
    new = apply(catalogue, planned(loans, LOANS.replace(LENT, "")), "test", allow_destroy=True)
    assert run(new, "SELECT name FROM loan WHERE stage = 'asked' ORDER BY name") == [("A",), ("B",)]


def test_records_go_where_removed_says_and_their_history_stays(loans, catalogue):
    text = LOANS.replace(LENT, "").replace("default: true\n", "default: true\nremoved: {lent: back}\n")
    new = apply(catalogue, planned(loans, text), "test")
    row = "SELECT stage, stage_type, pipeline, probability::int, version FROM loan WHERE name = 'A'"
    assert run(new, row) == [("back", "done", "lending", 100, 2)]
    stays = (
        "SELECT h.stage, h.previous, h.left_at IS NULL FROM _stage_history h JOIN loan l ON l.id = h.record"
        " WHERE l.name = 'A' ORDER BY h.id"
    )
    assert run(new, stays) == [("lent", None, False), ("back", "lent", True)]
    assert run(new, "SELECT changes FROM _history WHERE kind = 'update'") == [([["stage", "lent", "back"]],)] * 2
    assert planned(new, text).is_empty


def test_a_pipeline_that_goes_hands_its_records_over(loans, catalogue):
    without = LOANS.replace(GIFTS, "")
    [step] = planned(loans, without).steps
    assert "removed: {gifts.given: …}" in step.text
    new = apply(catalogue, planned(loans, without.replace("true\n", "true\nremoved: {gifts.*: back}\n")), "test")
    assert run(new, "SELECT pipeline, stage FROM loan WHERE name = 'D'") == [("lending", "back")]


def test_a_stage_of_another_type_takes_its_records_along(loans, catalogue):
    new = apply(catalogue, planned(loans, LOANS.replace("label: Lent,", "label: Lent, type: cancelled,")), "test")
    assert run(new, "SELECT DISTINCT stage_type FROM loan WHERE stage = 'lent'") == [("cancelled",)]
    assert run(new, "SELECT DISTINCT stage_type FROM _stage_history WHERE stage = 'lent'") == [("cancelled",)]


def test_a_stage_may_be_moved_about_and_a_revision_undone(loans, catalogue):
    later = LOANS.replace(LENT, "").replace("type: done}\n", f"type: done}}\n{LENT}", 1)
    assert planned(loans, later).is_empty
    new = apply(catalogue, planned(loans, later), "test")
    apply(catalogue, plan_revision(catalogue, new.slug, 1), "test")


def test_removed_names_stages_that_are_there(loans):
    from trellis.storage.catalogue import BrokenConfiguration

    with pytest.raises(BrokenConfiguration, match="unknown stage 'nowhere'"):
        planned(loans, LOANS.replace("true\n", "true\nremoved: {lent: nowhere}\n"))
