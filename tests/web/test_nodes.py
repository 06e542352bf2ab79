"""Two nodes on one server: what one of them applies fails no request of the other, and loses no write."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from tests.conftest import layers_of
from tests.web.frame_tenants import YAML, add_person, sign_in, token_of
from tests.web.test_frame_dispatcher import Keeping, Under
from werkzeug.test import Client

from trellis.records.session import commits
from trellis.storage.apply import apply
from trellis.storage.plan import plan
from trellis.web.dispatcher import Dispatcher
from trellis.web.settings import Settings

PLAIN = "  owner: {type: user, default: =me, role: owner}\n"
NOTE = PLAIN + "  note:  {type: text, search: true}\n"
REMARK = PLAIN + "  remark: {type: text, search: true, was: note}\n"
NUMBER = PLAIN + "  remark: {type: integer}\n"
COLUMNS = "views: {all: {type: list, columns: [name, owner, %s]}}\n---\nentity: payslip"


def text_of(fields: str, column: str | None) -> str:
    """The sample with these fields of an account, and a list that shows one of them."""
    text = YAML.replace(PLAIN, fields)
    return text.replace("---\nentity: payslip", COLUMNS % column) if column else text


@pytest.fixture
def node(database: Any, tmp_path: Any) -> Iterator[Dispatcher]:
    """A node that hears of nothing."""
    deaf = Dispatcher(Keeping(database), Settings(var=tmp_path))  # type: ignore[arg-type]
    yield deaf
    deaf.close()


@pytest.fixture
def nodes(make_tenant: Any) -> Any:
    tenant = make_tenant(YAML, slug="nodes")
    add_person(tenant, "anna@x.example", "admin")
    return tenant


def enter(node: Dispatcher) -> Client:
    """A browser that is signed in."""
    browser = Client(node)
    assert sign_in(Under(browser, "/t/nodes"), "anna@x.example").status_code == 302  # type: ignore[arg-type]
    return browser


def publish(catalogue: Any, fields: str, column: str | None) -> None:
    """Apply, as another node does."""
    layers = layers_of(text_of(fields, column), "nodes")
    apply(catalogue, plan(catalogue.get("nodes"), layers), "a", allow_destroy=True)


def test_reads_and_writes_go_on_while_another_node_applies(nodes: Any, node: Dispatcher, catalogue: Any) -> None:
    answers: list[tuple[str, int]] = []
    saved: list[str] = []
    done = threading.Event()

    def write() -> None:
        browser = enter(node)
        token = token_of(browser.get("/t/nodes/e/account/").text)
        while not done.is_set():
            name = f"Account {len(saved)}"
            answer = browser.post("/t/nodes/e/account/new", data={"name": name, "_has": "name", "csrf_token": token})
            answers.append(("new", answer.status_code))
            if answer.status_code in (302, 303):
                saved.append(name)

    def read() -> None:
        browser = enter(node)
        while not done.is_set():
            answers.append(("list", browser.get("/t/nodes/e/account/?q=acc").status_code))

    work = [threading.Thread(target=write), threading.Thread(target=read)]
    for thread in work:
        thread.start()
    try:
        steps = [(NOTE, "note"), (REMARK, "remark"), (NUMBER, "remark"), (PLAIN, None)]
        for fields, column in steps:
            begun = len(answers)
            publish(catalogue, fields, column)
            while len(answers) < begun + 6 and all(t.is_alive() for t in work):
                done.wait(0.02)
    finally:
        done.set()
        for thread in work:
            thread.join()
    assert {(what, code) for what, code in answers} <= {("list", 200), ("new", 302), ("new", 303)}, set(answers)
    with catalogue.get("nodes").begin() as connection:
        rows = connection.exec_driver_sql("SELECT name, count(*) FROM account GROUP BY name").all()
    assert sorted(tuple(r) for r in rows) == sorted((name, 1) for name in saved)
    assert len(saved) > len(steps)
    built = node.apps.get("nodes")
    assert built is not None
    assert built.revision == 1 + len(steps)


def test_nobody_writes_by_a_configuration_that_is_no_more(nodes: Any, node: Dispatcher, catalogue: Any) -> None:
    """Nothing in the tables says no to this write: only the revision does."""
    from trellis.packaging.provision import system_store
    from trellis.storage.tenant import RevisionChanged

    publish(catalogue, NOTE, None)
    with pytest.raises(RevisionChanged):
        system_store(nodes).create("account", {"name": "Acme"})
    assert system_store(catalogue.get("nodes")).create("account", {"name": "Acme", "note": "x"}).id


def test_a_body_is_sent_again_whatever_its_size(nodes: Any, node: Dispatcher, catalogue: Any) -> None:
    browser = enter(node)
    token = token_of(browser.get("/t/nodes/e/account/").text)
    publish(catalogue, NOTE, None)
    long = {"name": "Acme", "_has": "name", "csrf_token": token, "more": "x" * 400_000, "rest": "y" * 800_000}
    assert browser.post("/t/nodes/e/account/new", data=long).status_code in (302, 303)
    with catalogue.get("nodes").begin() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM account").scalar() == 1


def test_what_is_saved_is_not_saved_again_to_show_it(
    nodes: Any, node: Dispatcher, catalogue: Any, monkeypatch: Any
) -> None:
    """The tables change between the write and the page that shows it: the browser loads the page anew."""
    from trellis.web.pages.form import FormView

    browser = enter(node)
    token = token_of(browser.get("/t/nodes/e/account/").text)
    show = FormView._saved

    def applied_meanwhile(self: Any, store: Any, *more: Any) -> Any:
        monkeypatch.setattr(FormView, "_saved", show)
        publish(catalogue, NOTE, None)
        raise RuntimeError("what the page needs is gone")

    monkeypatch.setattr(FormView, "_saved", applied_meanwhile)
    before = commits.get()
    answer = browser.post(
        "/t/nodes/e/account/new",
        data={"name": "Acme", "_has": "name", "csrf_token": token},
        headers={"HX-Request": "true"},
    )
    assert answer.headers.get("HX-Refresh") == "true"
    assert commits.get() > before
    with catalogue.get("nodes").begin() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM account").scalar() == 1
