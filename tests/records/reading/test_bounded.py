"""Filters that people write are neither deep nor long."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from trellis.formula.reader import Reader
from trellis.records.principal import Principal
from trellis.records.reading import bounded
from trellis.records.refusal import Refused
from trellis.records.store import Store


@pytest.fixture
def store(tenant: Any) -> Store:
    return Store(tenant, Principal.system(Reader()))


def test_a_list_of_lists_of_lists_is_too_deep(store: Store) -> None:
    deep = "count(deals, count(account.contacts, {}) > 0) > 0"
    assert store.list("account", columns=["name"], where=[deep.format("true")]).rows == []
    with pytest.raises(Refused) as refused:
        store.count("account", where=[deep.format("count(account.deals) > 1")])
    (fault,) = refused.value.faults
    assert (fault.code, fault.field) == ("filter", "filter")
    assert fault.params["offset"] == deep.index("{}")


def test_a_filter_that_takes_long_is_ended_with_what_to_do(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "LONGEST", timedelta(milliseconds=1))
    for _ in range(30):
        store.create("account", {"name": "Acme"})
    slow = " and ".join(["count(contacts, born > today()) == 0"] * 40)
    asked: list[Callable[[], object]] = [
        lambda: store.count("account", where=[slow]),
        lambda: store.list("account", columns=["name"], where=[slow]),
        lambda: store.groups("account", "name", where=[slow]),
        lambda: store.months("account", "created_at", where=[slow]),
        lambda: store.matching("account", where=[slow]),
    ]
    for ask in asked:
        with pytest.raises(Refused) as refused:
            ask()
        assert [(f.code, f.field) for f in refused.value.faults] == [("timeout", "filter")]
    with store.transaction() as connection:
        assert connection.exec_driver_sql("SHOW statement_timeout").scalar() == "1min"
