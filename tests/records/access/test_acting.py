"""Acting for a person with the system's rights, inside the person's own work."""

from __future__ import annotations

from collections.abc import Callable

from trellis.records.store import Store


def seen(store: Store) -> list[str]:
    return [row.title or "" for row in store.list("account", columns=["name"]).rows]


def test_the_systems_statements_and_a_persons_are_never_shared(person: Callable[..., Store], system: Store) -> None:
    anna = person("Anna", "rep")
    anna.create("account", {"name": "Hers"})
    system.create("account", {"name": "Not hers"})
    with anna.transaction():
        key = anna.session.view_key
        assert seen(anna) == ["Hers"]
        with anna.session.as_system():
            assert anna.session.view_key != key
            assert sorted(seen(anna)) == ["Hers", "Not hers"]
            assert anna.count("account").n == 2
        assert anna.session.view_key == key
        assert seen(anna) == ["Hers"]
        assert anna.count("account").n == 1
