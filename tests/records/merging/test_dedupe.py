"""Records that are probably the same are found, whoever writes them and however."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import layers_of

from trellis.formula.reader import Reader
from trellis.formula.types import Ref
from trellis.model import matching
from trellis.records.principal import Principal
from trellis.records.refusal import Refused
from trellis.records.store import Store
from trellis.records.transfer import import_table, read_table
from trellis.storage import matching as sql

CRM = """
entity: user
title: name
fields:
  name: {type: text, required: true}
  email: {type: email, unique: true}
---
entity: company
title: name
fields:
  name: {type: text, required: true, search: true}
  city: {type: text}
  website: {type: url}
  parent: {type: link, to: company}
  owner: {type: user, role: owner, default: =me}
dedupe:
  alike: {match: [similar(name), city], action: warn}
  same-site: {match: [website], action: block}
---
entity: person
title: name
fields:
  name: {type: name}
  email: {type: email}
  phone: {type: phone, multiple: true}
  owner: {type: user, role: owner, default: =me}
dedupe:
  same-email: {match: [email], action: block}
  same-name: {match: [name], action: warn}
  same-phone: {match: [phone], action: warn}
---
entity: lead
title: company
fields:
  company: {type: text}
  email: {type: email}
  owner: {type: user, role: owner, default: =me}
dedupe:
  known-person: {match: [email], action: block, against: person}
  known-company: {match: [similar(company)], action: warn, against: {company: {company: name}}}
---
entity: visit
title: subject
fields:
  subject: {type: text}
  company: {type: link, to: company}
dedupe:
  twice: {match: [subject, company], action: block}
---
entity: branch
title: code
fields:
  code: {type: text}
dedupe:
  strict: {match: ["exact(code)"], action: block}
  close: {match: ["similar(code, 0.9)"], action: warn}
---
entity: shop
title: name
fields:
  name: {type: text, required: true}
  website: {type: url}
dedupe:
  similar-name: {match: [similar(name)], action: warn}
  same-site: {match: [domain(website)], action: warn}
---
role: rep
label: Rep
grants:
  "*": {read: all, create: true, update: all}
  company: {read: own, create: true, update: own, fields: {owner: hidden}}
  person: {read: own, create: true, update: own}
"""


@pytest.fixture(scope="module")
def tenant(catalogue):
    yield catalogue.create("records-dedupe", layers_of(CRM, "records-dedupe"), "test")
    catalogue.drop("records-dedupe")


@pytest.fixture
def store(tenant) -> Iterator[Store]:
    """The system's door to an empty CRM."""
    yield Store(tenant, Principal.system(Reader(region="DE")))
    with tenant.database.engine.begin() as connection:
        names = [f'"{tenant.schema}"."{t.name}"' for t in tenant.tables.entity.values()]
        connection.exec_driver_sql(
            "SET LOCAL session_replication_role = replica;" + "".join(f"DELETE FROM {name};" for name in names)
        )


@pytest.fixture
def rep(tenant, store) -> Callable[[str], Store]:
    def make(name: str) -> Store:
        user = store.create("user", {"name": name, "email": f"{name.lower()}@example.com"})
        reader = Reader(me=Ref("user", user.id, name), roles=frozenset({"rep"}))
        return Store(tenant, Principal(reader, id=user.id, name=name, roles=frozenset({"rep"})))

    return make


def refused(store, entity, **values):
    with pytest.raises(Refused) as error:
        store.create(entity, values, confirmed=False)
    return error.value.faults[0]


@pytest.mark.parametrize(
    ("there", "new"),
    [
        ("Müller Bau GmbH & Co. KG", "MÜLLER BAU"),
        ("Acme Ltd.", "Acme, Inc."),
        ("ＡＣＭＥ　Ｌｔｄ", "Acme"),
        ("上海云起有限公司", "上海云起股份有限公司"),
        ("云起（上海）有限公司", "云起(上海)"),
        ("株式会社トヨタ", "トヨタ"),
        ("Northwind Traders", "Northwnd Traders"),
        ("Halden Maschinen AG", "Halden Maschinenbau AG"),
    ],
)
def test_a_company_is_known_again(store, there, new):
    store.create("company", {"name": there, "city": "Kiel"})
    assert refused(store, "company", name=new, city="KIEL").params["title"] == there


@pytest.mark.parametrize(
    ("there", "new"),
    [("Acme GmbH", "Zenith GmbH"), ("GmbH", "AG"), ("Filiale 12", "Filiale 13"), ("公司", "集团")],
)
def test_another_company_is_another(store, there, new):
    store.create("company", {"name": there, "city": "Kiel"})
    assert store.create("company", {"name": new, "city": "Kiel"}, confirmed=False).title == new


def test_blanks_never_match(store):
    store.create("company", {"name": "Acme"})
    store.create("company", {"name": "Acme"}, confirmed=False)
    store.create("person", {"email": None})
    store.create("person", {"email": ""}, confirmed=False)


def test_mail_addresses_and_phones_and_names_match_however_they_are_written(store):
    store.create("person", {"name": "Ann Lee", "email": "Ann@Example.com", "phone": "0431 123456"})
    assert refused(store, "person", email="ann@example.com").params["title"] == "Ann Lee"
    assert refused(store, "person", phone="+49 (431) 12 34 56").params["rule"] == "same-phone"
    assert refused(store, "person", name="Lee, Ann").params["rule"] == "same-name"


def test_a_web_address_matches_without_its_scheme(store):
    store.create("company", {"name": "a", "website": "https://www.acme.example/"})
    assert refused(store, "company", name="b", website="http://ACME.example").code == "duplicate"


@pytest.mark.parametrize(
    "new",
    [
        {"name": "Northwnd Traders"},
        {"name": "Northwind Traders GmbH", "website": "https://elsewhere.example"},
        {"name": "Another", "website": "http://shop.northwind.example:8080/en?from=mail#top"},
    ],
)
def test_rules_tell_each_for_itself_whatever_else_is_blank(store, new):
    """A similar name alone warns, and so does the same site alone."""
    store.create("shop", {"name": "Northwind Traders", "website": "https://www.shop.northwind.example/"})
    assert refused(store, "shop", **new).params["title"] == "Northwind Traders"


def test_another_name_on_another_site_is_no_duplicate(store):
    store.create("shop", {"name": "Northwind Traders", "website": "https://shop.northwind.example/"})
    store.create("shop", {"name": "Zenith Optics", "website": "https://northwind.example/shop"}, confirmed=False)


def test_links_are_compared_as_records_and_blank_ones_never(store):
    """civicrm#23663: relation fields polluted the match."""
    one, two = (store.create("company", {"name": n}).id for n in ("Acme", "Zenith"))
    store.create("visit", {"subject": "Talk", "company": one})
    store.create("visit", {"subject": "Talk", "company": two})
    store.create("visit", {"subject": "Talk"})
    store.create("visit", {"subject": "Talk"})
    assert refused(store, "visit", subject="talk", company=one).params["title"] == "Talk"


def test_exact_and_nearly_exact(store):
    store.create("branch", {"code": "Alpha-Romeo-Tango"})
    assert store.create("branch", {"code": "alpha-romeo-tango"}).warnings[0].params["rule"] == "close"
    assert refused(store, "branch", code="Alpha-Romeo-Tango").params["rule"] == "strict"
    assert store.create("branch", {"code": "Alpha-Romeo-Samba"}).warnings == ()


def test_records_in_the_bin_and_merged_ones_are_not_reported(store):
    gone = store.create("person", {"email": "a@example.com"})
    store.delete("person", gone.id)
    kept = store.create("person", {"email": "a@example.com"})
    other = store.create("person", {"email": "b@example.com"})
    store.merge("person", other.id, [kept.id])
    assert store.create("person", {"email": "a@example.com"}, confirmed=False)


def test_across_entities(store):
    person = store.create("person", {"name": "Ann", "email": "ann@example.com"})
    store.create("company", {"name": "Acme GmbH"})
    fault = refused(store, "lead", email="ANN@example.com")
    assert fault.params["records"][0] == {
        "entity": "person",
        "id": str(person.id),
        "title": "Ann",
        "owner": "",
    }
    assert refused(store, "lead", company="ACME AG").params["records"][0]["entity"] == "company"
    store.create("lead", {"company": "Solo", "email": "solo@example.com"})
    store.create("lead", {"company": "Solo", "email": "solo@example.com"}, confirmed=False)  # not against itself


def test_an_edit_is_checked_only_where_it_touches_the_rule(store):
    store.create("person", {"name": "Ann", "email": "a@example.com"})
    other = store.create("person", {"name": "Bob", "email": "b@example.com"})
    with pytest.raises(Refused):
        store.update("person", other.id, {"email": "A@example.com"})
    twin = store.create("person", {"name": "Ann", "email": "c@example.com"})
    assert store.update("person", twin.id, {"email": "d@example.com"}, confirmed=False)["email"] == "d@example.com"


def test_what_one_may_not_see_is_said_without_its_content(store, rep):
    anna, bert = rep("Anna"), rep("Bert")
    anna.create("person", {"name": "Secret", "email": "x@example.com"})
    fault = refused(bert, "person", email="x@example.com")
    assert (fault.params["title"], fault.params["id"], fault.params["records"], fault.params["hidden"]) == (
        "",
        "",
        (),
        1,
    )
    assert "Secret" not in str(fault)
    told = refused(anna, "person", email="x@example.com").params["records"][0]
    assert (told["title"], told["owner"]) == ("Secret", "Anna")


def test_a_hidden_owner_leaves_no_trace(rep):
    anna = rep("Anna")
    anna.create("company", {"name": "Acme", "website": "acme.example"})
    assert set(refused(anna, "company", name="b", website="acme.example").params["records"][0]) == {
        "entity",
        "id",
        "title",
    }


def test_rows_of_one_batch_are_compared_with_each_other(store):
    rows = [{"email": "a@example.com"}, {"email": "A@example.com"}, {"email": "b@example.com"}]
    assert [o.status for o in store.create_many("person", rows)] == ["created", "refused", "created"]
    a, b = (store.create("person", {}).id for _ in range(2))
    outcomes = store.update_many("person", [(a, {"email": "c@example.com"}), (b, {"email": "c@example.com"})])
    assert [o.status for o in outcomes] == ["updated", "refused"]


def test_an_import_tells_row_by_row(store):
    store.create("person", {"name": "Ann Lee", "email": "ann@example.com"})
    told = []
    text = "name,email\nAnn Lee,other@example.com\nBob,ann@example.com\nCid,cid@example.com\n"
    summary = import_table(store, "person", read_table(text), on_outcome=told.append)
    assert dict(summary.counts) == {"created": 2, "failed": 1}
    by_line = {o.line: o for o in told}
    assert "looks like" in by_line[2].message
    assert by_line[2].status == "created"
    assert (by_line[3].status, by_line[3].faults[0].code) == ("failed", "duplicate")


def test_no_duplicates_are_remembered(store):
    one = store.create("person", {"name": "Ann Lee"})
    two = store.create("person", {"name": "Ann Lee"})
    store.not_duplicates("person", [one.id, two.id])
    assert store.update("person", two.id, {"name": "Ann LEE"}, confirmed=False)


TEXTS = st.text(
    st.sampled_from("aBzÄß &.,-_/()（）Ａ　１2有限公司集团株式会社éÉ·・“”\t\n")
    | st.characters(max_codepoint=0xFFFF, exclude_categories=("Cs", "Cn", "Co", "Cc")),
    max_size=24,
) | st.lists(
    st.sampled_from(["Acme", "GmbH", "Co.", "KG", "&", "und", "S.p.A.", "公司", "有限公司", "株式会社", "Ltd"]),
    max_size=5,
).map(" ".join)


@pytest.fixture(scope="module")
def both_forms(tenant):
    """The normal forms of texts as a field's values: Python's and PostgreSQL's."""
    column = sa.column("x", sa.Text())

    def ask(name: str, texts: list[str], how: matching.How = "normal") -> list[tuple[str, str]]:
        field = tenant.model.entities["company"].fields[name]
        listed = sa.func.unnest(sa.literal(texts, sa.ARRAY(sa.Text()))).table_valued(column, with_ordinality="n")
        listed = listed.render_derived()
        with tenant.begin() as connection:
            statement = sa.select(listed.c.x, sql.normal(field, listed.c.x, how)).order_by(listed.c.n)
            rows = connection.execute(statement).all()
        return [(matching.normal(field, text, how) or "", found) for text, found in rows]

    return ask


@given(st.lists(TEXTS, min_size=1, max_size=20))
@settings(max_examples=60, deadline=None)
def test_python_and_postgresql_agree_on_the_normal_form(both_forms, texts):
    for name, how in (("name", "normal"), ("website", "normal"), ("website", "domain")):
        for ours, theirs in both_forms(name, texts, how):
            assert ours == theirs
