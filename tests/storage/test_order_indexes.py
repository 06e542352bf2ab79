"""Indexes that nobody asked for by name: what the first list is sorted by, and what saves and imports look up."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from tests.conftest import layers_of

from trellis.formula.reader import Reader
from trellis.model.view import Sort
from trellis.records.principal import Principal
from trellis.records.store import Store
from trellis.storage.indexes import first_order, is_indexed, lookups
from trellis.storage.plan import plan

YAML = """
entity: person
label: Person
title: name
key: email
fields:
  name:   {type: name}
  email:  {type: email}
  mobile: {type: phone}
  status: {type: choice, choices: [new, old]}
dedupe:
  same: {match: [mobile], action: warn}
views:
  all: {type: list, sort: [name], columns: [name, email]}
---
entity: paper
label: Paper
title: status
key: number
fields:
  number: {type: text, unique: true}
  status: {type: choice, choices: [new, old], required: true}
views:
  all: {type: list, sort: [status]}
"""


def test_what_is_indexed(make_tenant: Any) -> None:
    tenant = make_tenant(YAML)
    person, paper = (tenant.model.entities[key] for key in ("person", "paper"))
    assert lookups(person) == {"email", "mobile"}
    assert first_order(person) == "name"
    assert {key for key, field in person.fields.items() if is_indexed(person, field)} == {"name", "email", "mobile"}
    assert lookups(paper) == set()  # a unique field has its index
    assert first_order(paper) is None  # choices have an order of their own


def test_the_plan_knows_them_again(make_tenant: Any) -> None:
    tenant = make_tenant(YAML)
    assert plan(tenant, layers_of(YAML, tenant.slug)).steps == ()


def test_names_are_listed_by_their_index_with_blanks_last(make_tenant: Any) -> None:
    tenant = make_tenant(YAML)
    store = Store(tenant, Principal.system(Reader()))
    names: list[Any] = [
        {"first": "Zoe", "last": "Adler"},
        {"first": "Madonna"},
        None,
        {"first": "Ann", "last": "Zell"},
        {"first": "Ann", "last": "Adler", "middle": "B."},
    ]
    for name in names:
        store.create("person", {"name": name})
    listed: list[Any] = []
    cursor = None
    while True:
        page = store.list("person", columns=["name"], sort=[Sort("name")], limit=2, cursor=cursor)
        listed += [record["name"] for record in page.rows]
        cursor = page.next
        if cursor is None:
            break
    assert listed == [names[4], names[0], names[1], names[3], None]
    with tenant.begin() as connection:
        connection.execute(sa.text("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off"))
        found = connection.execute(
            sa.text(
                "EXPLAIN SELECT id FROM person WHERE deleted_at IS NULL"
                " ORDER BY nullif(coalesce((name->>'last') || ' ', '') || coalesce((name->>'first') || ' ', '')"
                " || coalesce((name->>'middle') || ' ', ''), ''), id"
            )
        )
        assert "person_name_order" in "\n".join(row[0] for row in found)


ALIKE = """
entity: firm
label: Firm
fields:
  name: {type: text}
  email: {type: email}
  city: {type: text}
dedupe:
  alike: {match: [similar(name), "exact(city)"], action: warn}
  mail: {match: [email], action: block}
"""


def test_normal_forms_have_indexes_that_the_search_for_duplicates_uses(make_tenant: Any) -> None:
    tenant = make_tenant(ALIKE)
    assert plan(tenant, layers_of(ALIKE, tenant.slug)).steps == ()
    store = Store(tenant, Principal.system(Reader()))
    store.create("firm", {"name": "Acme GmbH", "email": "a@example.com", "city": "Kiel"})
    asked: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "pg_c_utf8" in statement and "EXPLAIN" not in statement:
            asked.append((statement, parameters))

    sa.event.listen(tenant.database.engine, "before_cursor_execute", note)
    try:
        with store.transaction() as connection:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
            store.create("firm", {"name": "Acme", "email": "b@example.com", "city": "Ulm"})
            plans = [
                "\n".join(connection.exec_driver_sql(f"EXPLAIN {statement}", parameters).scalars())
                for statement, parameters in list(asked)
            ]
    finally:
        sa.event.remove(tenant.database.engine, "before_cursor_execute", note)
    together = "\n".join(plans)
    assert all(f"firm_{name}_match" in together for name in ("name", "email"))
    assert "firm_name_match_end" in together
    assert "Sort" not in together
