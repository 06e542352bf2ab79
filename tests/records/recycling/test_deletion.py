"""What a deletion would do is told before it is done, as far as one may know it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from tests.conftest import layers_of

from trellis.formula.reader import Reader
from trellis.formula.types import Ref
from trellis.records.principal import Principal
from trellis.records.refusal import Forbidden, Refused
from trellis.records.store import Store

YAML = """
entity: user
title: name
fields: {name: {type: text}}
---
entity: customer
label: Customer
plural: Customers
title: name
fields: {name: {type: text, required: true}}
---
entity: project
label: Project
plural: Projects
title: name
fields:
  name: {type: text, required: true}
  customer: {type: link, to: customer, inverse: projects, on_delete: cascade}
---
entity: task
label: Task
plural: Tasks
title: name
fields:
  name: {type: text, required: true}
  secret: {type: boolean, default: false}
  project: {type: link, to: project, inverse: tasks, on_delete: cascade}
---
entity: remark
label: Remark
plural: Remarks
title: name
fields:
  name: {type: text, required: true}
  about: {type: any_link, to: [customer, project], inverse: remarks, on_delete: clear}
---
entity: invoice
label: Invoice
plural: Invoices
title: name
fields:
  name: {type: text, required: true}
  project: {type: link, to: project, inverse: invoices, on_delete: restrict}
---
entity: invoice_line
part_of: invoice
title: what
fields: {what: {type: text, required: true}}
---
role: clerk
grants:
  "*": {read: all, create: true, update: all, delete: all}
  task: {read: not secret}
---
role: reader
grants:
  "*": {read: all}
"""


@pytest.fixture(scope="module")
def tenant(catalogue):
    yield catalogue.create("records-deletion", layers_of(YAML, "records-deletion"), "test")
    catalogue.drop("records-deletion")


@pytest.fixture
def store(tenant):
    return Store(tenant, Principal.system(Reader()))


@pytest.fixture
def clerk(tenant):
    return Store(tenant, Principal(Reader(), roles=frozenset({"clerk"})))


@pytest.fixture
def customer(store):
    made = store.create("customer", {"name": "Acme"})
    project = store.create("project", {"name": "Roof", "customer": made.id})
    store.create("task", {"name": "Measure", "project": project.id})
    store.create("task", {"name": "Bribe", "project": project.id, "secret": True})
    store.create("remark", {"name": "Nice", "about": project.ref})
    return made


def told(affected):
    return [(one.entity.key, one.count, [ref.title for ref in one.named]) for one in affected]


def test_what_goes_along_is_told_by_entity_and_name(store, customer):
    coming = store.foresee("customer", [customer.id])
    assert told(coming.going) == [("project", 1, ["Roof"]), ("task", 2, ["Measure", "Bribe"])]
    assert told(coming.clearing) == [("remark", 1, ["Nice"])]
    assert coming.held == ()
    assert not coming.is_plain
    assert store.read("customer", customer.id).title == "Acme"  # only told
    store.delete("customer", customer.id)
    assert store.count("task", where=['project.name == "Roof"']).n == 0


def test_what_one_may_not_read_is_only_counted(clerk, customer):
    coming = clerk.foresee("customer", [customer.id])
    assert told(coming.going) == [("project", 1, ["Roof"]), ("task", 2, ["Measure"])]
    assert coming.going[1].more == 1


def test_what_holds_it_is_told_also_through_what_goes_along(store, clerk, customer):
    [project] = store.list("project", columns=["name"], where=[f'customer.id == "{customer.id}"']).rows
    invoice = store.create("invoice", {"name": "I-1", "project": project.id})
    assert told(clerk.foresee("customer", [customer.id]).held) == [("invoice", 1, ["I-1"])]
    with pytest.raises(Refused, match="1 Invoice still point here: I-1") as refused:
        clerk.delete("customer", customer.id)
    assert refused.value.faults[0].params["records"] == (("invoice", str(invoice.id), "I-1"),)
    store.delete("invoice", invoice.id)
    with pytest.raises(Refused, match="in the recycle bin still point here: I-1"):
        clerk.delete("customer", customer.id)
    assert [one.in_bin for one in store.foresee("customer", [customer.id]).held] == [True]


def test_parts_alone_are_nothing_to_ask_about(store):
    invoice = store.create("invoice", {"name": "I-2"})
    assert store.foresee("invoice", [invoice.id]).is_plain
    store.create("invoice_line", {"what": "nails", "invoice": invoice.id})
    coming = store.foresee("invoice", [invoice.id])
    assert told(coming.going) == [("invoice_line", 1, [])]
    assert coming.is_plain


def test_what_one_may_not_delete_is_not_told(tenant, customer):
    reader = Store(tenant, Principal(Reader(), roles=frozenset({"reader"})))
    assert reader.foresee("customer", [customer.id]).going == ()
    outsider = Store(tenant, Principal(Reader(), roles=frozenset()))
    with pytest.raises(Forbidden):
        outsider.foresee("customer", [customer.id])


def test_a_link_that_is_being_made_holds_against_a_deletion(tenant, store, customer):
    """Whoever saves a link first is seen by whoever deletes what it points to."""
    project = store.create("project", {"name": "Shed"})
    made, go_on = Event(), Event()

    def bill():
        own = Store(tenant, Principal.system(Reader()))
        with own.transaction():
            own.create("invoice", {"name": "I-3", "project": project.id})
            made.set()
            assert go_on.wait(10)

    def remove():
        assert made.wait(10)
        with pytest.raises(Refused, match="I-3"):
            Store(tenant, Principal.system(Reader())).delete("project", project.id)

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.submit(bill), pool.submit(remove)
        assert made.wait(10)
        go_on.set()
        first.result(timeout=20)
        second.result(timeout=20)


def test_a_link_to_what_is_being_deleted_is_refused(tenant, store, customer):
    project = store.create("project", {"name": "Barn"})
    deleted, go_on = Event(), Event()

    def remove():
        own = Store(tenant, Principal.system(Reader()))
        with own.transaction():
            own.delete("project", project.id)
            deleted.set()
            assert go_on.wait(10)

    def bill():
        assert deleted.wait(10)
        with pytest.raises(Refused, match="no such record"):
            Store(tenant, Principal.system(Reader())).create(
                "invoice", {"name": "I-4", "project": Ref("project", project.id)}
            )

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.submit(remove), pool.submit(bill)
        assert deleted.wait(10)
        go_on.set()
        first.result(timeout=20)
        second.result(timeout=20)
