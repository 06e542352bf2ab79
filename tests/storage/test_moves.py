"""Stored values follow the configuration: stages, types with several columns, links."""

from __future__ import annotations

import pytest
from tests.conftest import layers_of
from tests.storage.test_plan import change, insert, run

from trellis.storage.plan import plan, plan_revision

STAGED = """
entity: deal
label: Deal
fields:
  name: {type: text}
  worth: {type: decimal}
  email: {type: email}
  buyer: {type: link, to: account}
---
entity: account
label: Account
fields:
  name: {type: text}
---
entity: lead
label: Lead
fields:
  name: {type: text}
---
pipeline: new-business
entity: deal
stages:
  talk: {label: Talk}
  won: {label: Won, type: won}
"""


@pytest.fixture
def staged(make_tenant):
    """A tenant with a pipeline."""
    return make_tenant(STAGED, profile="currency: CHF\n")


def edit(catalogue, tenant, old, new, **options):
    """Apply the text with a part of it replaced."""
    assert old in STAGED
    layers = layers_of(STAGED.replace(old, new), tenant.slug, profile="currency: CHF\n")
    from trellis.storage.apply import apply

    return apply(catalogue, plan(tenant, layers), "test", **options)


def test_a_renamed_stage_is_renamed_in_rows_and_history(staged, catalogue):
    deal = insert(staged, "deal", name="Pilot", stage="talk", pipeline="new-business")
    sql = (
        "INSERT INTO _stage_history (entity, record, field, pipeline, stage, stage_type, previous)"
        " VALUES ('deal', %s, 'stage', 'new-business', 'talk', 'open', NULL),"
        " ('deal', %s, 'stage', 'new-business', 'won', 'won', 'talk')"
    )
    run(staged, sql, deal, deal)
    new = edit(catalogue, staged, "talk: {label: Talk}", "qualify: {label: Qualify, was: talk}")
    assert run(new, "SELECT stage FROM deal") == [("qualify",)]
    history = run(new, "SELECT stage, previous FROM _stage_history ORDER BY id")
    assert history == [("qualify", None), ("won", "qualify")]
    from trellis.storage.apply import apply

    back = apply(catalogue, plan_revision(catalogue, new.slug, 1), "test")
    assert run(back, "SELECT stage FROM deal") == [("talk",)]


def test_a_number_becomes_money_in_the_tenants_currency(staged, catalogue):
    insert(staged, "deal", name="Pilot", worth="12.5")
    insert(staged, "deal", name="Blank")
    new = edit(catalogue, staged, "worth: {type: decimal}", "worth: {type: money}")
    found = run(new, "SELECT worth::text, worth_currency, worth_base::text FROM deal ORDER BY name")
    assert found == [(None, None, None), ("12.5", "CHF", "12.5")]


def test_one_address_becomes_the_first_of_several(staged, catalogue):
    insert(staged, "deal", name="Pilot", email="a@example.com")
    new = edit(catalogue, staged, "email: {type: email}", "email: {type: email, multiple: true}")
    field = new.model.entities["deal"].fields["email"]
    ((main, others),) = run(new, "SELECT email, email_all FROM deal")
    assert [e["value"] for e in field.type.from_columns({"": main, "_all": others})] == ["a@example.com"]


def test_a_link_becomes_an_any_link(staged, catalogue):
    account = insert(staged, "account", name="Acme")
    insert(staged, "deal", name="Pilot", buyer=account)
    new = edit(catalogue, staged, "buyer: {type: link, to: account}", "buyer: {type: any_link, to: [account, lead]}")
    assert run(new, "SELECT buyer, buyer_entity FROM deal") == [(account, "account")]


def test_a_renamed_entity_is_renamed_in_any_links(make_tenant, catalogue):
    text = STAGED.replace("buyer: {type: link, to: account}", "buyer: {type: any_link, to: [account, lead]}")
    tenant = make_tenant(text)
    account = insert(tenant, "account", name="Acme")
    insert(tenant, "deal", name="Pilot", buyer=account, buyer_entity="account")
    renamed = text.replace("entity: account", "entity: customer\nwas: account").replace("[account,", "[customer,")
    new = change(catalogue, tenant, renamed)
    assert run(new, "SELECT buyer_entity FROM deal") == [("customer",)]


def test_a_link_to_another_entity_with_rows_that_lead_nowhere_is_refused(staged):
    account = insert(staged, "account", name="Acme")
    insert(staged, "deal", name="Pilot", buyer=account)
    text = STAGED.replace("buyer: {type: link, to: account}", "buyer: {type: link, to: lead}")
    planned = plan(staged, layers_of(text, staged.slug))
    assert [(s.kind, s.failing, s.examples) for s in planned.failing] == [("add_key", 1, (str(account),))]


def test_names_may_swap(staged, catalogue):
    insert(staged, "deal", name="Pilot", email="a@example.com")
    before = "  name: {type: text}\n  worth: {type: decimal}\n  email: {type: email}\n"
    after = "  email: {type: text}\n  worth: {type: decimal}\n  name: {type: email}\n"
    planned = plan(staged, layers_of(STAGED.replace(before, after), staged.slug))
    # the same columns of the same types: nothing says that they changed places, but the order of titles is no more
    assert {step.name for step in planned.steps} <= {"_order", "deal_order", "deal__order"}
    assert not planned.destroys
