"""A title made of linked records tells each reader only what they may know, whichever way it is asked for."""

from __future__ import annotations

import pytest
from tests.conftest import layers_of

from trellis.formula.reader import Reader
from trellis.formula.types import Ref
from trellis.model.view import Sort
from trellis.records.principal import Principal
from trellis.records.refusal import Refused
from trellis.records.store import Store

CRM = """
entity: user
title: name
fields: {name: {type: text, required: true}, email: {type: email}}
---
entity: account
title: name
fields:
  name: {type: text, required: true, search: true}
  nick: {type: text}
  owner: {type: user, role: owner}
---
entity: product
title: name
fields: {name: {type: text, required: true}, owner: {type: user, role: owner}}
---
entity: quote
title: "{number} {account.name}"
fields:
  number: {type: text, required: true, search: true}
  account: {type: link, to: account, inverse: quotes}
---
entity: quote_line
part_of: quote
title: "{product.name} {amount}"
fields: {product: {type: link, to: product}, amount: {type: integer}}
---
entity: remark
title: "on {quote}"
fields:
  quote: {type: link, to: quote, inverse: remarks, on_delete: restrict, search: true}
  others: {type: links, to: quote, inverse: mentioned}
  about: {type: any_link, to: [quote, account], inverse: noted}
---
entity: card
title: "{account.nick}{account.name}"
fields: {account: {type: link, to: account}}
---
role: rep
grants:
  "*": {read: all, create: true, update: all, delete: all}
  account: {read: own, fields: {nick: masked}}
  product: {read: own}
---
role: boss
grants: {"*": {read: all, create: true, update: all, delete: all}}
"""


@pytest.fixture(scope="module")
def crm(catalogue):
    yield catalogue.create("records-titles", layers_of(CRM, "records-titles"), "test")
    catalogue.drop("records-titles")


@pytest.fixture(scope="module")
def world(crm):
    """Rita owns one account and no product; the quotes are everybody's."""
    system = Store(crm, Principal.system(Reader()))
    doors = {"system": system}
    for name, role in (("rita", "rep"), ("bo", "boss")):
        user = system.create("user", {"name": name})
        reader = Reader(me=Ref("user", user.id, name), roles=frozenset({role}))
        doors[name] = Store(crm, Principal(reader, id=user.id, name=name, roles=frozenset({role})))
    rita = doors["rita"].principal.id
    own = system.create("account", {"name": "Own", "nick": "pal", "owner": rita})
    far = system.create("account", {"name": "Hush", "nick": "psst"})
    bolt = system.create("product", {"name": "Zither"})
    lines = [{"product": bolt.id, "amount": 3}]
    made = {
        "near": system.create("quote", {"number": "Q1", "account": own.id}),
        "far": system.create("quote", {"number": "Q2", "account": far.id, "lines": lines}),
        "own": own,
        "hush": far,
        "bolt": bolt,
    }
    quotes = [made["near"].id, made["far"].id]
    about = Ref("quote", made["far"].id)
    made["remark"] = system.create("remark", {"quote": made["far"].id, "others": quotes, "about": about})
    return doors, made


def secret(said: object) -> bool:
    return any(word in repr(said) for word in ("Hush", "Zither", "psst"))


def test_lists_and_records_leave_out_what_is_out_of_reach(world):
    doors, made = world
    rows = {r["number"]: r.title for r in doors["rita"].list("quote", columns=["number"]).rows}
    assert rows == {"Q1": "Q1 Own", "Q2": "Q2 "}
    assert {r.title for r in doors["bo"].list("quote", columns=[]).rows} == {"Q1 Own", "Q2 Hush"}
    assert doors["rita"].read("quote", made["far"].id).title == "Q2 "
    assert doors["rita"].read("quote", made["near"].id).title == "Q1 Own"
    [line] = doors["rita"].lines("quote", made["far"].id, "lines")
    assert line.title == " 3"
    assert doors["system"].read("quote", made["far"].id).title == "Q2 Hush"


@pytest.mark.parametrize("column", ["quote", "others", "about", "quote.number"])
def test_links_and_titles_of_titles(world, column):
    doors, made = world
    for row in (
        doors["rita"].list("remark", columns=[column]).rows[0],
        doors["rita"].read("remark", made["remark"].id, fields=[column]),
    ):
        assert row.title == "on Q2 "
        assert not secret(row[column])
        assert "Q2" in repr(row[column])
    told = doors["bo"].read("remark", made["remark"].id, fields=["quote", "others"])
    assert told.title == "on Q2 Hush"
    assert [ref.title for ref in told["others"]] == ["Q1 Own", "Q2 Hush"]


def test_a_concealed_field_of_a_linked_record_is_left_out(world):
    doors, made = world
    card = doors["system"].create("card", {"account": made["own"].id})
    assert doors["rita"].read("card", card.id).title == "Own"
    assert doors["bo"].read("card", card.id).title == "palOwn"


def test_pickers_searches_groups_and_orders(world):
    doors, _made = world
    rita = doors["rita"]
    assert [c.title for c in rita.pick("quote", "Q2")] == ["Q2 "]
    assert rita.pick("quote", "hush") == []
    assert [c.title for c in doors["bo"].pick("quote", "hush")] == ["Q2 Hush"]
    assert [c.title for c in rita.search("Q2")] == ["Q2 "]
    assert not secret(rita.search("Hush"))
    assert rita.list("remark", columns=[], q="hush").rows == []
    assert len(doors["bo"].list("remark", columns=[], q="hush").rows) == 1
    assert not secret(rita.groups("remark", "quote"))
    assert not secret(rita.list("remark", columns=["quote"], sort=[Sort("quote")]).rows[0]["quote"])


def test_the_history_tells_no_more_than_the_record(world):
    doors, made = world
    for entity, key in (("quote", "far"), ("remark", "remark")):
        changes = doors["rita"].history(entity, made[key].id)
        assert not secret(changes)
        assert secret(doors["bo"].history(entity, made[key].id))
    [entry] = doors["rita"].history("remark", made["remark"].id)
    told = {c.field: c.new for c in entry.changes}
    assert told["quote"].title == "Q2 "
    assert [ref.title for ref in told["others"]] == ["Q1 Own", "Q2 "]
    [born] = doors["rita"].history("quote", made["far"].id)
    assert [c.new for c in born.changes if c.field.startswith("lines.") and c.field.count(".") == 1] == [" 3"]


def test_refusals_name_no_more_than_the_record(world):
    doors, made = world
    for name, expected in (("rita", False), ("bo", True)):
        with pytest.raises(Refused) as refused:
            doors[name].delete("quote", made["far"].id)
        [fault] = refused.value.faults
        assert "Q2" in str(fault.params["names"])
        assert secret(fault.params) is expected
