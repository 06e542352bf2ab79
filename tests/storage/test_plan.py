"""A plan says what is really different; apply does it, or refuses."""

from __future__ import annotations

import pytest
from tests.conftest import SAMPLE, layers_of

from trellis.storage.apply import PlanOutdated, WouldDestroy, WouldFail, apply
from trellis.storage.plan import plan, plan_revision


def change(catalogue, tenant, text, **options):
    """Apply a tenant's own layer of YAML text."""
    return apply(catalogue, plan(tenant, layers_of(text, tenant.slug)), "test", **options)


def kinds(planned):
    return [(s.kind, s.table, s.name) for s in planned.steps]


def run(tenant, sql, *params):
    """Run SQL as the tenant, and return the rows of a query."""
    with tenant.begin() as connection:
        result = connection.exec_driver_sql(sql, params or None)
        return [tuple(r) for r in result] if result.returns_rows else []


def insert(tenant, table, **values):
    columns = ", ".join(f'"{c}"' for c in values)
    marks = ", ".join(["%s"] * len(values))
    sql = f'INSERT INTO "{table}" (id, {columns}) VALUES (gen_random_uuid(), {marks}) RETURNING id'
    return run(tenant, sql, *values.values())[0][0]


def test_nothing_to_do_for_what_is_live(tenant):
    planned = plan(tenant, layers_of(SAMPLE, tenant.slug))
    assert planned.steps == ()
    assert not planned.changes_configuration


def test_nothing_to_do_for_the_core(make_tenant):
    tenant = make_tenant(core=True)
    assert plan(tenant, layers_of({}, tenant.slug, core=True)).steps == ()


def test_a_field_is_added(tenant, catalogue):
    text = SAMPLE.replace("vip: {type: boolean}", "vip: {type: boolean}\n  fax: {type: text, index: true}")
    planned = plan(tenant, layers_of(text, tenant.slug))
    assert kinds(planned)[0] == ("add_column", "account", "fax")
    assert [k[0] for k in kinds(planned)] == ["add_column", "add_index"]
    assert not planned.destroys
    new = apply(catalogue, planned, "anna", "a fax machine came")
    assert run(new, "SELECT fax FROM account") == []
    assert plan(new, layers_of(text, tenant.slug)).steps == ()
    revision = catalogue.revisions(tenant.slug)[0]
    assert (revision.number, revision.who, revision.why) == (2, "anna", "a fax machine came")
    assert catalogue.get(tenant.slug).model is new.model


def test_an_entity_is_added_with_rights_for_the_tenant(tenant, catalogue):
    text = (
        SAMPLE + "\n---\nentity: order\nlabel: Order\nfields:\n  group: {type: text}\n  deal: {type: link, to: deal}\n"
    )
    new = change(catalogue, tenant, text)
    insert(new, "order", group="a")
    assert run(new, 'SELECT "group" FROM "order"') == [("a",)]


def test_destruction_needs_a_yes(tenant, catalogue):
    insert(tenant, "account", name="Acme", employees=3)
    text = SAMPLE.replace("  employees: {type: integer}\n", "")
    planned = plan(tenant, layers_of(text, tenant.slug))
    assert [(s.kind, s.rows) for s in planned.destroys] == [("drop_column", 1)]
    with pytest.raises(WouldDestroy, match="employees"):
        apply(catalogue, planned, "test")
    assert run(tenant, "SELECT employees FROM account") == [(3,)]
    new = apply(catalogue, planned, "test", allow_destroy=True)
    assert "employees" not in new.tables.entity["account"].c
    assert plan(new, layers_of(text, tenant.slug)).steps == ()


def test_a_removed_entity_is_destruction(tenant, catalogue):
    text = SAMPLE[: SAMPLE.index("---\nentity: deal")]
    with pytest.raises(WouldDestroy, match="deal"):
        change(catalogue, tenant, text)
    new = change(catalogue, tenant, text, allow_destroy=True)
    assert set(new.tables.entity) & {"deal"} == set()
    assert plan(new, layers_of(text, tenant.slug)).steps == ()


def test_a_renamed_field_keeps_its_data_index_and_history(tenant, catalogue):
    indexed = SAMPLE.replace("employees: {type: integer}", "employees: {type: integer, index: true}")
    tenant = change(catalogue, tenant, indexed)
    id = insert(tenant, "account", name="Acme", employees=3)
    sql = "INSERT INTO _history (entity, record, kind, means, changes) VALUES ('account', %s, 'update', 'page', %s)"
    run(tenant, sql, id, '[["name", "a", "employees"], ["employees", 1, 3]]')
    text = indexed.replace(
        "employees: {type: integer, index: true}", "staff: {type: integer, index: true, was: employees}"
    )
    planned = plan(tenant, layers_of(text, tenant.slug))
    assert not planned.destroys
    assert [k[0] for k in kinds(planned)] == ["rename_column", "rename_index", "rename_value"]
    new = apply(catalogue, planned, "test")
    assert run(new, "SELECT staff FROM account") == [(3,)]
    assert run(new, "SELECT changes FROM _history") == [([["name", "a", "employees"], ["staff", 1, 3]],)]
    assert plan(new, layers_of(text, tenant.slug)).steps == ()


def test_a_renamed_entity_keeps_its_data_and_links(tenant, catalogue):
    account = insert(tenant, "account", name="Acme")
    deal = insert(tenant, "deal", name="Pilot", account=account)
    contact = insert(tenant, "contact", name="Ann", account=account)
    run(tenant, 'INSERT INTO "deal__contacts" (source, target) VALUES (%s, %s)', deal, contact)
    sql = "INSERT INTO _history (entity, record, kind, means) VALUES ('deal', %s, 'create', 'page')"
    run(tenant, sql, deal)
    text = SAMPLE.replace("entity: deal", "entity: opportunity\nwas: deal")
    planned = plan(tenant, layers_of(text, tenant.slug))
    assert not planned.destroys
    new = apply(catalogue, planned, "test")
    assert run(new, "SELECT name FROM opportunity") == [("Pilot",)]
    assert run(new, "SELECT count(*) FROM opportunity__contacts") == [(1,)]
    assert run(new, "SELECT entity FROM _history") == [("opportunity",)]
    assert plan(new, layers_of(text, tenant.slug)).steps == ()
    back = apply(catalogue, plan_revision(catalogue, new.slug, 1), "test", "it was better before")
    assert run(back, "SELECT name FROM deal") == [("Pilot",)]
    assert back.revision == 3
    assert plan(back, layers_of(SAMPLE, tenant.slug)).steps == ()


def test_a_renamed_choice_is_renamed_in_the_rows(tenant, catalogue):
    insert(tenant, "account", name="Acme", industry="food")
    text = SAMPLE.replace("choices: [retail, food, other]", "choices: [retail, {grocery: {was: food}}, other]")
    new = change(catalogue, tenant, text)
    assert run(new, "SELECT industry FROM account") == [("grocery",)]
    back = apply(catalogue, plan_revision(catalogue, new.slug, 1), "test")
    assert run(back, "SELECT industry FROM account") == [("food",)]


def test_text_that_is_no_number_refuses_the_conversion(tenant, catalogue):
    for name in ("12", " 7 ", "twelve", "", "1.5"):
        insert(tenant, "contact", name=name)
    text = SAMPLE.replace(
        "  name: {type: text, required: true, search: true}\n  account: {type: link, to: account, inverse: contacts}",
        "  name: {type: integer}\n  account: {type: link, to: account, inverse: contacts}",
    )
    planned = plan(tenant, layers_of(text, tenant.slug))
    (step,) = planned.failing
    assert (step.failing, sorted(step.examples)) == (2, ["1.5", "twelve"])
    with pytest.raises(WouldFail, match="twelve"):
        apply(catalogue, planned, "test", allow_destroy=True)
    run(tenant, "DELETE FROM contact WHERE name IN ('twelve', '1.5')")
    new = apply(catalogue, plan(tenant, layers_of(text, tenant.slug)), "test", allow_destroy=True)
    assert sorted(run(new, "SELECT name FROM contact WHERE name IS NOT NULL")) == [(7,), (12,)]


def test_a_new_unique_field_with_duplicates_is_refused(tenant, catalogue):
    for name in ("Acme", "Acme", "Other"):
        insert(tenant, "account", name=name)
    text = SAMPLE.replace(
        "name: {type: text, required: true, search: true}", "name: {type: text, unique: true, search: true}", 1
    )
    planned = plan(tenant, layers_of(text, tenant.slug))
    assert [(s.failing, s.examples) for s in planned.failing] == [(1, ("Acme",))]
    with pytest.raises(WouldFail):
        apply(catalogue, planned, "test")


def test_a_plan_that_is_out_of_date_is_refused(tenant, catalogue):
    text = SAMPLE.replace("vip: {type: boolean}", "vip: {type: boolean}\n  fax: {type: text}")
    planned = plan(tenant, layers_of(text, tenant.slug))
    apply(catalogue, planned, "test")
    with pytest.raises(PlanOutdated):
        apply(catalogue, planned, "test")


def test_platform_tables_are_in_the_plan(tenant, catalogue, database):
    with database.engine.begin() as connection:
        connection.exec_driver_sql(f'ALTER TABLE "{tenant.schema}"._history DROP COLUMN by_name')
        connection.exec_driver_sql(f'DROP INDEX "{tenant.schema}"._file_hash')
    planned = plan(tenant, layers_of(SAMPLE, tenant.slug))
    assert kinds(planned) == [("add_column", "_history", "by_name"), ("add_index", "_file", "_file_hash")]
    apply(catalogue, planned, "test")
