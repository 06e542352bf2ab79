"""Home: what is to do today, the longest overdue first."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient
from tests.web.frame_tenants import add_person, app_of, signed_in_client

from trellis.formula.reader import Reader
from trellis.records.principal import Principal
from trellis.records.store import Store
from trellis.storage.secrets import use_installation_key

CHORE = """
entity: chore
label: Chore
title: name
fields:
  name: {type: text, required: true}
  due: {type: date}
  owner: {type: user, role: owner}
  done: {type: boolean}
views:
  open: {type: list, filter: not done, sort: [due], columns: [name, due]}
  plan: {type: calendar, start: due}
"""
WORK = (
    CHORE
    + "---"
    + CHORE.replace("chore", "errand").replace("Chore", "Errand")
    + """---
entity: idea
label: Idea
title: name
fields:
  name: {type: text, required: true}
  day: {type: date}
  owner: {type: user, role: owner}
views:
  newest: {type: list, sort: [-day], columns: [name, day]}
---
role: worker
label: Worker
grants: {"*": {read: own, create: true, update: own}}
"""
)


@pytest.fixture
def tenant(make_tenant: Any, tmp_path: Any) -> Any:
    use_installation_key(tmp_path)
    return make_tenant(WORK)


@pytest.fixture
def rita(tenant: Any, tmp_path: Any) -> tuple[FlaskClient, Store, Any]:
    me = add_person(tenant, "rita@x.example", "worker", name="Rita")
    return signed_in_client(app_of(tenant, tmp_path), "rita@x.example"), Store(tenant, Principal.system(Reader())), me


def said(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_what_is_due_stands_there_overdue_first(rita: Any, tenant: Any) -> None:
    client, store, me = rita
    other = add_person(tenant, "otto@x.example", "worker", name="Otto")
    today = Reader().today()
    rows = [("Today", 0, me), ("Long ago", -30, me), ("Yesterday", -1, me), ("Tomorrow", 1, me), ("His", -1, other)]
    for name, days, who in rows:
        store.create("chore", {"name": name, "due": today + timedelta(days=days), "owner": who})
    store.create("chore", {"name": "Finished", "due": today, "owner": me, "done": True})
    store.create("idea", {"name": "Some day", "day": today - timedelta(days=3), "owner": me})
    page = client.get("/").text
    todo = page[page.index('id="todo-h"') : page.index("</section>", page.index('id="todo-h"'))]
    assert re.findall(r"<bdi>(.*?)</bdi>", todo) == ["Long ago", "Yesterday", "Today"]
    assert "2 overdue" in said(todo)
    assert todo.count("t-late") == 2
    assert client.get("/e/chore/?view=open").text.count("t-late") == 2
    coming = page[page.index("Coming up") : page.index("</section>", page.index("Coming up"))]
    assert re.findall(r"<bdi>(.*?)</bdi>", coming) == ["Tomorrow"]


def test_more_than_fits_is_told_as_more(rita: Any) -> None:
    client, store, me = rita
    for n in range(12):
        store.create("chore", {"name": f"Chore {n}", "due": Reader().today() - timedelta(days=n + 1), "owner": me})
    page = client.get("/").text
    assert "8+ overdue" in said(page)
    assert "Chore 11" in page


def test_a_backlog_does_not_hide_what_is_due_today(rita: Any) -> None:
    client, store, me = rita
    today = Reader().today()
    for n in range(7):
        store.create("chore", {"name": f"Old {n}", "due": today - timedelta(days=n + 1), "owner": me})
    for n in range(3):
        store.create("errand", {"name": f"Errand {n}", "due": today, "owner": me})
    page = client.get("/").text
    todo = page[page.index('id="todo-h"') : page.index("</section>", page.index('id="todo-h"'))]
    shown = re.findall(r"<bdi>(.*?)</bdi>", todo)
    assert shown[:5] == ["Old 6", "Old 5", "Old 4", "Old 3", "Old 2"]
    assert sorted(shown[5:]) == ["Errand 0", "Errand 1", "Errand 2"]


def test_nothing_to_do_is_no_section(rita: Any) -> None:
    client, _store, _me = rita
    assert "todo-h" not in client.get("/").text


def test_what_does_not_fit_is_a_list_away(rita: Any) -> None:
    client, store, me = rita
    today = Reader().today()
    for n in range(12):
        store.create("chore", {"name": f"Chore {n:02}", "due": today - timedelta(days=20 - n), "owner": me})
    store.create("errand", {"name": "Errand", "due": today, "owner": me})
    page = client.get("/").text
    (more,) = re.findall(r'href="([^"]*where=[^"]*)"', page)  # the errand is shown
    found = client.get(unescape(more)).text
    assert [name in found for name in ("Chore 00", "Chore 11", "Errand</")] == [True, True, False]
