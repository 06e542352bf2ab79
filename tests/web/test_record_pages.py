"""The record page and what it asks for, through a client."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from tests.conftest import layers_of
from tests.web.forms_tenant import FORMS
from tests.web.frame_tenants import add_person, app_of, outcome, signed_in_client

from trellis.formula.reader import Reader
from trellis.records.principal import Principal
from trellis.records.record import Record
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant

EVIL = '<b id="evil">"Bold"</b>'
Poster = Callable[..., Any]


@pytest.fixture(scope="module")
def office(catalogue: Catalogue) -> Iterator[Tenant]:
    """A tenant with an administrator and a clerk."""
    tenant = catalogue.create("office", layers_of(FORMS, "office"), "test")
    add_person(tenant, "ada@office.example", "admin", name="Ada Admin")
    add_person(tenant, "cleo@office.example", "clerk", name="Cleo Clerk")
    yield tenant
    catalogue.drop("office")


@pytest.fixture(scope="module")
def app(office: Tenant, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return app_of(office, tmp_path_factory.mktemp("office"))


@pytest.fixture(scope="module")
def ada(app: Any) -> FlaskClient:
    return signed_in_client(app, "ada@office.example")


@pytest.fixture(scope="module")
def cleo(app: Any) -> FlaskClient:
    return signed_in_client(app, "cleo@office.example")


@pytest.fixture
def store(office: Tenant) -> Store:
    return Store(office, Principal.system(Reader()))


@pytest.fixture
def order(store: Store) -> Record:
    account = store.create("account", {"name": EVIL})
    product = store.create("product", {"name": "Rack", "price": 10})
    return store.create(
        "order", {"name": "First order", "account": account.ref, "lines": [{"product": product.ref, "quantity": 2}]}
    )


def post(client: FlaskClient, path: str, data: dict[str, Any], **more: Any) -> Any:
    """A POST as the page's script makes it."""
    page = client.get("/e/order/new").get_data(as_text=True)
    token = page.split('name="csrf-token" content="')[1].split('"')[0]
    headers = {"X-CSRFToken": token, "X-Requested-With": "fetch"}
    return client.post(path, data=data, headers=headers, **more)


def test_page_shows_the_record_escaped(ada: FlaskClient, order: Record) -> None:
    page = ada.get(f"/e/order/{order.id}").get_data(as_text=True)
    assert "<h1><bdi>First order</bdi></h1>" in page
    assert EVIL not in page
    assert "&lt;b id=" in page
    assert 'data-stage="sent"' in page
    assert "style=" not in page.split("<main")[1]


def test_field_is_edited_in_place(ada: FlaskClient, order: Record, store: Store) -> None:
    path = f"/e/order/{order.id}/field/name"
    assert 'value="First order"' in ada.get(path).get_data(as_text=True)
    saved = post(ada, path, {"_has": "name", "name": "Second", "version": order.version})
    assert saved.status_code == 200
    assert "<bdi>Second</bdi>" in saved.get_data(as_text=True)
    assert store.read("order", order.id)["name"] == "Second"


def test_refusal_stands_at_the_field_with_what_was_typed(ada: FlaskClient, order: Record) -> None:
    answer = post(ada, f"/e/order/{order.id}/field/due", {"_has": "due", "due": "1999-01-01"})
    text = answer.get_data(as_text=True)
    assert outcome(answer) == 422
    assert "An order cannot be due in the past." in text
    assert 'value="1999-01-01"' in text


def test_stale_field_shows_both_values(ada: FlaskClient, order: Record, store: Store) -> None:
    store.update("order", order.id, {"name": "Theirs"})
    answer = post(ada, f"/e/order/{order.id}/field/name", {"_has": "name", "name": "Mine", "version": order.version})
    text = answer.get_data(as_text=True)
    assert outcome(answer) == 409
    assert "Theirs" in text
    assert 'value="Mine"' in text


def test_list_gets_the_cell_alone(ada: FlaskClient, order: Record) -> None:
    answer = post(ada, f"/e/order/{order.id}/field/kind?in=list", {"_has": "kind", "kind": "rush", "reason": "x"})
    assert outcome(answer) == 422
    answer = post(ada, f"/e/order/{order.id}/field/name?in=list", {"_has": "name", "name": "Cell"})
    assert answer.status_code == 200
    assert "<main" not in answer.get_data(as_text=True)
    assert "Cell" in answer.get_data(as_text=True)


def test_gate_asks_for_exactly_what_is_missing(ada: FlaskClient, order: Record, store: Store) -> None:
    path = f"/e/order/{order.id}/move/stage"
    asked = post(ada, path, {"to": "lost"})
    text = asked.get_data(as_text=True)
    assert outcome(asked) == 422
    assert 'name="why"' in text
    assert 'name="account"' not in text
    moved = post(ada, path, {"to": "lost", "_has": "why", "why": "price"})
    assert moved.status_code == 200
    assert store.read("order", order.id)["stage"] == "lost"


def test_move_that_is_not_allowed_says_why(ada: FlaskClient, order: Record) -> None:
    post(ada, f"/e/order/{order.id}/move/stage", {"to": "sent"})
    answer = post(ada, f"/e/order/{order.id}/move/stage", {"to": "lost"})
    assert outcome(answer) == 409
    assert "cannot be followed by" in answer.get_json()["message"]


def test_related_lists_and_counts(ada: FlaskClient, order: Record, store: Store) -> None:
    lines = ada.get(f"/e/order/{order.id}/related/lines").get_data(as_text=True)
    assert "Rack" in lines
    other = store.create("account", {"name": "Partner"})
    assert post(ada, f"/e/order/{order.id}/link/partners", {"target": str(other.id)}).status_code == 200
    assert ada.get(f"/e/order/{order.id}/counts").get_json()["partners"] == "1"
    back = ada.get(f"/e/account/{other.id}/related/partner_orders").get_data(as_text=True)
    assert "First order" in back
    assert post(ada, f"/e/order/{order.id}/unlink/partners", {"target": str(other.id)}).status_code == 200
    assert ada.get(f"/e/order/{order.id}/counts").get_json()["partners"] == "0"


def test_timeline_tells_changes_and_what_is_about_the_record(ada: FlaskClient, order: Record, store: Store) -> None:
    store.update("order", order.id, {"due": "2099-01-01"})
    made = post(ada, f"/e/order/{order.id}/compose/remark", {"_has": "text", "text": "Call **back**"})
    assert made.status_code == 200
    timeline = ada.get(f"/e/order/{order.id}/timeline").get_data(as_text=True)
    assert "<strong>back</strong>" in timeline
    assert "<b><bdi>Ada Admin</bdi></b>" in timeline
    assert "Due" in timeline
    empty = post(ada, f"/e/order/{order.id}/compose/remark", {"_has": "text", "text": ""})
    assert outcome(empty) == 422


def test_conditions_of_what_is_written_about_a_record_know_which_record_it_is(ada: FlaskClient, order: Record) -> None:
    form = ada.get(f"/e/order/{order.id}/compose/remark").get_data(as_text=True)
    (asked,) = re.findall(r'data-state="([^"]+)"', form)
    sent = {"_has": "text", "text": "Call back"}
    assert post(ada, unescape(asked), sent).get_json()["fields"]["shared"]["visible"]
    assert not post(ada, "/e/remark/form-state", sent).get_json()["fields"]["shared"]["visible"]
    quick = ada.get(f"/e/remark/new?quick=1&about=order:{order.id}").get_data(as_text=True)
    assert unescape(asked) in unescape(quick)


def test_delete_offers_undo(ada: FlaskClient, order: Record, store: Store) -> None:
    gone = post(ada, f"/e/order/{order.id}/delete", {})
    assert gone.get_json()["location"].endswith("/e/order/")
    assert "In the recycle bin" in ada.get(f"/e/order/{order.id}").get_data(as_text=True)
    assert post(ada, f"/e/order/{order.id}/undelete", {}).status_code == 200
    assert store.read("order", order.id).deleted_at is None


def test_others_records_are_shown_but_not_edited(cleo: FlaskClient, order: Record) -> None:
    page = cleo.get(f"/e/order/{order.id}").get_data(as_text=True)
    assert "data-edit=" not in page
    assert cleo.get(f"/e/order/{order.id}/field/name").status_code == 403
    assert cleo.get(f"/e/order/{order.id}/edit").status_code == 403
    assert cleo.get("/e/product/pick").status_code == 404


def test_files_are_kept_checked_and_given_back(ada: FlaskClient, order: Record) -> None:
    def send(name: str, content: bytes) -> Any:
        return post(ada, "/e/order/upload/papers", {"file": (io.BytesIO(content), name)})

    assert outcome(send("big.txt", b"x" * 2000)) == 422
    assert outcome(send("evil.html", b"<script>")) == 422
    token = send("hello.txt", b"hello").get_json()["token"]
    path = f"/e/order/{order.id}/field/papers"
    assert post(ada, path, {"_has": "papers", "papers": [token, "forged"]}).status_code == 200
    page = ada.get(f"/e/order/{order.id}").get_data(as_text=True)
    href = page.split('class="t-file" href="')[1].split('"')[0]
    answer = ada.get(href)
    assert answer.data == b"hello"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    answer.close()
    stranger = UUID(int=7)
    assert ada.get(f"/e/order/{order.id}/file/papers/{stranger}").status_code == 404


def test_what_a_link_carries_is_shown_and_edited_from_either_side(
    ada: FlaskClient, cleo: FlaskClient, store: Store, order: Record
) -> None:
    other = store.create("account", {"name": "Partner"})
    store.link("order", order.id, "partners", other.ref)
    address = f"/e/order/{order.id}/related/partners/{other.id}/part"
    assert address in ada.get(f"/e/order/{order.id}/related/partners").text
    assert 'name="part"' in ada.get(address).text
    assert "Pays for it" in post(ada, address, {"_has": "part", "part": "pays"}).text
    assert "Pays for it" in ada.get(f"/e/order/{order.id}/related/partners").text
    assert "Pays for it" in ada.get(f"/e/account/{other.id}/related/partner_orders").text
    refused = post(ada, address, {"_has": "part", "part": "nonsense"})
    assert outcome(refused) == 422
    assert 'id="f-part-e"' in refused.text
    assert outcome(post(cleo, address, {"_has": "part", "part": "ships"})) in (403, 404)
    assert ada.get(address.replace("/part", "/price")).status_code == 404


def test_a_record_page_asks_little(ada: FlaskClient, order: Record) -> None:
    """Two transactions begin (who is there, the record), and each says one thing: no statement per field or tab."""
    ada.get(f"/e/order/{order.id}")
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    sa.event.listen(sa.engine.Engine, "before_cursor_execute", note)
    try:
        assert ada.get(f"/e/order/{order.id}").status_code == 200
    finally:
        sa.event.remove(sa.engine.Engine, "before_cursor_execute", note)
    assert len(asked) <= 6, "\n".join(asked)


def test_a_record_that_is_there_is_linked_into_a_list_of_plain_links(
    ada: FlaskClient, cleo: FlaskClient, store: Store, order: Record
) -> None:
    other = store.create("account", {"name": "Other"})
    address = f"/e/account/{other.id}/link/orders"
    assert f'data-link-to="{address}"' in ada.get(f"/e/account/{other.id}/related/orders").text
    answer = post(ada, address, {"target": str(order.id)})
    assert answer.get_json()["toast"] == f"Linked. Before, it was linked with {EVIL}."
    assert store.read("order", order.id, fields=["account"])["account"].id == other.id
    assert outcome(post(cleo, address, {"target": str(order.id)})) == 403
    unlink = address.replace("/link/", "/unlink/")
    assert unlink in ada.get(f"/e/account/{other.id}/related/orders").text
    assert outcome(post(cleo, unlink, {"target": str(order.id)})) == 403
    told = post(ada, unlink, {"target": str(order.id)}).get_json()
    assert store.read("order", order.id, fields=["account"])["account"] is None
    assert post(ada, told["undo"]["url"], told["undo"]["values"]).status_code == 200
    assert store.read("order", order.id, fields=["account"])["account"].id == other.id


def test_what_a_link_cannot_be_without_is_asked_for(ada: FlaskClient, store: Store, order: Record) -> None:
    other = store.create("account", {"name": "Signer"})
    address = f"/e/order/{order.id}/link/signers"
    asked = post(ada, address, {"target": str(other.id)})
    assert outcome(asked) == 422
    assert "Link “Signer”" in asked.text
    assert 'name="signs_on"' in asked.text
    wrong = post(ada, address, {"target": str(other.id), "signs_on": "never"})
    assert outcome(wrong) == 422
    assert "is not a date" in wrong.text
    assert 'value="never"' in wrong.text
    assert "This field is required." in post(ada, address, {"target": str(other.id), "signs_on": ""}).text
    assert post(ada, address, {"target": str(other.id), "signs_on": "2026-11-30"}).get_json()["toast"] == "Linked"
    assert "Nov 30" in ada.get(f"/e/order/{order.id}/related/signers").text


def test_a_related_list_is_sorted_by_its_columns_and_by_what_links_keep(
    ada: FlaskClient, store: Store, order: Record
) -> None:
    parts = {"Anna": "pays", "Bert": None, "Cora": "ships"}
    made = {name: store.create("account", {"name": name}) for name in parts}
    for name, part in parts.items():
        store.link("order", order.id, "partners", made[name].ref, {"part": part})

    def shown(sort: str) -> list[str]:
        text = ada.get(f"/e/order/{order.id}/related/partners?sort={sort}").text
        return sorted(parts, key=lambda name: text.index(f"<bdi>{name}</bdi>"))

    assert shown("part") == ["Cora", "Anna", "Bert"]
    assert shown("-part") == ["Anna", "Cora", "Bert"]
    assert shown("name") == ["Anna", "Bert", "Cora"]
    assert shown("-name") == ["Cora", "Bert", "Anna"]


def test_the_timeline_tells_what_a_link_keeps(ada: FlaskClient, store: Store, order: Record) -> None:
    other = store.create("account", {"name": "Partner of ours"})
    store.link("order", order.id, "partners", other.ref)
    store.link("order", order.id, "partners", other.ref, {"part": "pays"})
    timeline = ada.get(f"/e/order/{order.id}/timeline").text
    assert "Partner of ours</bdi>" in timeline
    assert "Pays for it" in timeline


def test_the_lines_of_what_is_listed_are_exported(ada: FlaskClient, cleo: FlaskClient, order: Record) -> None:
    assert cleo.get("/e/order/export/lines.csv").status_code == 403
    answer = ada.get("/e/order/export/lines.csv")
    assert answer.mimetype == "text/csv"
    assert "20.00 EUR" in answer.text
    assert "/e/order/export/lines.csv" in ada.get("/e/order/").text
    assert ada.get("/e/order/export/remarks.csv").status_code == 404


def test_a_record_page_takes_few_statements(ada: FlaskClient, order: Record, store: Store) -> None:
    statements: list[str] = []

    def note(*args: Any) -> None:
        if "set_config" not in args[2]:
            statements.append(args[2])

    address = f"/e/account/{order['account'].id}"
    ada.get(address)
    sa.event.listen(store.tenant.database.engine, "before_cursor_execute", note)
    try:
        assert ada.get(address).status_code == 200
    finally:
        sa.event.remove(store.tenant.database.engine, "before_cursor_execute", note)
    assert len(statements) == 3, statements  # who asks, the record, what stands beside it
