"""A tenant of a template that uses everything the language has, with the people who try it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.web.frame_tenants import add_person

from trellis.config.layer import Layer, read_layer
from trellis.formula.types import Ref
from trellis.identity.person import reader_for
from trellis.packaging.provision import load_layers, system_store
from trellis.records.principal import Principal
from trellis.records.record import Record
from trellis.records.refusal import Refused
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue
from trellis.storage.secrets import use_installation_key
from trellis.storage.tenant import Tenant

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def layers() -> list[Layer]:
    """The core, the template, the tenant."""
    return [
        read_layer(ROOT, "core", ""),
        read_layer(HERE / "expedition", "templates/expedition", "expedition"),
        read_layer(HERE / "far-away", "tenants/far-away", "far-away"),
    ]


@pytest.fixture(scope="session")
def far_away(catalogue: Catalogue, layers: list[Layer], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    """The tenant with its data."""
    use_installation_key(tmp_path_factory.mktemp("key"))
    tenant = catalogue.create("far-away", layers, "test")
    assert load_layers(tenant, layers) == []
    yield tenant
    catalogue.drop("far-away")


@dataclass
class Crew:
    """The doors of the people of one test run, and what they make."""

    tenant: Tenant
    system: Store
    leader: Store
    guest: Store
    trip: Ref

    def specimen(self, store: Store | None = None, **values: Any) -> Record:
        """A specimen that is right, but for what the test says."""
        given = {"label": f"Find {next(_numbers)}", "expedition": self.trip, "habitat": "forest", "agreed": True}
        return (store or self.leader).create("specimen", {**given, **values})


@pytest.fixture(scope="session")
def crew(far_away: Tenant) -> Crew:
    """Lea, who leads expeditions, and Gus, a guest."""

    def door(email: str, *roles: str) -> Store:
        id = add_person(far_away, email, *roles)
        reader = reader_for(far_away)
        me = Ref("user", id, email)
        reader = type(reader)(me=me, roles=frozenset(roles), time_zone=reader.time_zone, settings=reader.settings)
        return Store(far_away, Principal(reader, id, email, frozenset(roles)))

    system = system_store(far_away)
    leader = door("lea@far.example", "expedition-leader")
    trip = leader.create("expedition", {"subject": "North", "start": "2026-05-01T08:00:00Z", "budget": "100 EUR"})
    return Crew(far_away, system, leader, door("gus@far.example", "guest"), Ref("expedition", trip.id, "North"))


def faults(run: Callable[[], object]) -> list[tuple[str | None, str]]:
    """The fields and codes of a refusal."""
    with pytest.raises(Refused) as refused:
        run()
    return [(f.field, f.code) for f in refused.value.faults]
