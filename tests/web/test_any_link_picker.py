"""A link to one of several entities: the kind of record is chosen first, then the record."""

from __future__ import annotations

import pytest
from tests.conftest import layers_of
from tests.web.frame_tenants import add_person, app_of, signed_in_client

from trellis.formula.reader import Reader
from trellis.records.principal import Principal
from trellis.records.store import Store

YAML = """
entity: firm
label: Firm
plural: Firms
title: name
fields: {name: {type: text, required: true, search: true}}
---
entity: human
label: Human
plural: Humans
title: name
fields: {name: {type: text, required: true, search: true}}
---
entity: remark
label: Remark
title: text
fields:
  text:  {type: text, required: true}
  about: {type: any_link, to: [firm, human], inverse: remarks, create: true}
---
role: admin
grants: {"*": {read: all, create: true, update: all, delete: all}}
allow: [admin]
"""


@pytest.fixture(scope="module")
def ada(catalogue, tmp_path_factory):
    tenant = catalogue.create("anylink", layers_of(YAML, "anylink"), "test")
    add_person(tenant, "ada@any.example", "admin", name="Ada Admin")
    store = Store(tenant, Principal.system(Reader()))
    for entity in ("firm", "human"):
        store.create(entity, {"name": f"Smith the {entity}"})
    yield signed_in_client(app_of(tenant, tmp_path_factory.mktemp("any")), "ada@any.example")
    catalogue.drop("anylink")


def offered(ada, kind):
    answer = ada.get(f"/e/remark/pick/about?q=smith&kind={kind}").json
    return [o["title"] for o in answer["options"]], answer["create"]


def test_the_kind_narrows_what_is_offered(ada):
    assert sorted(offered(ada, "")[0]) == ["Smith the firm", "Smith the human"]
    titles, create = offered(ada, "firm")
    assert titles == ["Smith the firm"]
    assert create["label"] == "Create firm “smith”"
    assert sorted(offered(ada, "remark")[0]) == ["Smith the firm", "Smith the human"]  # not one of them: no matter


def test_the_form_offers_the_kinds_and_keeps_the_one_in_use(ada):
    html = ada.get("/e/remark/new").text
    assert '<option value="firm">Firm</option><option value="human">Human</option>' in html
