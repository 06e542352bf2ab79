"""Requests are counted over all processes: here, over all memories."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from tests.api.conftest import Api, Office

from trellis.api import rates
from trellis.api.rates import Policy


def take(office: Office, name: str) -> rates.Taken:
    """One request as a process takes it."""
    return rates._take(office.tenant, name)


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Become one of some processes: each has a memory of its own."""
    memories: dict[int, dict[Any, Any]] = {}

    def become(number: int) -> None:
        monkeypatch.setattr(rates, "_known", memories.setdefault(number, {}))

    return become


def move(office: Office, name: str, seconds: int) -> None:
    """Let time pass for a count."""
    table = office.tenant.tables.platform.rate
    with office.tenant.begin() as connection:
        earlier = table.c.began - sa.func.make_interval(0, 0, 0, 0, 0, 0, seconds)
        connection.execute(sa.update(table).where(table.c.key == name).values(began=earlier))


def test_several_processes_let_in_no_more_than_one(
    office: Office, processes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "POLICY", Policy(300, 3600))  # no hour ends within the test, but for one in a thousand
    name, granted = str(uuid4()), 0
    for turn in range(400):
        processes(turn % 3)
        granted += not take(office, name).is_refused
    assert granted == 300


def test_most_requests_ask_nobody(office: Office, processes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    ask = rates._ask
    monkeypatch.setattr(rates, "_ask", lambda tenant, name, wanted: asked.append(wanted) or ask(tenant, name, wanted))
    monkeypatch.setattr(rates, "POLICY", Policy(600, 3600))
    processes(1)
    name = str(uuid4())
    left = [take(office, name) for _ in range(100)]
    assert sum(asked) >= 100
    assert len(asked) <= 12
    assert [taken.own + taken.left for taken in left] == list(range(599, 499, -1))


def test_the_window_before_counts_until_it_is_over(
    office: Office, processes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "POLICY", Policy(10, 1_000_000))
    name = str(uuid4())
    processes(1)
    assert [take(office, name).is_refused for _ in range(11)] == [False] * 10 + [True]
    move(office, name, 1_000_000)
    processes(2)
    granted = 0
    while not take(office, name).is_refused:
        granted += 1
    assert granted < 10  # as much of the new window as is over
    move(office, name, 2_000_000)
    processes(3)
    assert not take(office, name).is_refused


def test_the_headers_say_what_is_left_and_when_to_come_back(mona: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "POLICY", Policy(3, 60))
    answers = [mona.get("meta") for _ in range(4)]
    assert [a.status_code for a in answers][:3] == [200] * 3
    assert answers[0].headers["RateLimit-Policy"] == '"default";q=3;w=60'
    assert answers[0].headers["RateLimit"].startswith('"default";r=2;t=')
    if answers[3].status_code != 200:  # a minute may have ended in between
        assert answers[3].status_code == 429
        assert int(answers[3].headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("given", "spent", "before", "elapsed", "wait"),
    [(0, 10, 0, 45.0, 15 + 6), (0, 4, 10, 15.0, 60 * 0.5 - 15), (0, 0, 10, 0.0, 6)],
    ids=["this window is full", "the last one is in the way", "all of it"],
)
def test_how_long_to_wait(
    given: int, spent: int, before: int, elapsed: float, wait: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "POLICY", Policy(10, 60))
    monkeypatch.setattr(rates.time, "monotonic", lambda: 1000.0)
    taken = rates._taken(given, spent, before, elapsed)
    assert taken.is_refused
    assert taken.ends - 1000 == pytest.approx(wait)
