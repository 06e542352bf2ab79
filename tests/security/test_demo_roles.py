"""Every role of the demo companies, over every entity: the pages open for whom the grants say, and break for nobody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from tests.api.fuzz import Caller
from tests.web.frame_tenants import add_person, outcome, signed_in_client

from trellis.api.app import add_api
from trellis.config.workspace import Workspace
from trellis.identity.api_keys import create_key
from trellis.identity.person import principal_for, read_person_by_id
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant
from trellis.web.app import create_tenant_app
from trellis.web.navigation import is_on
from trellis.web.reading_log import flush
from trellis.web.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
COMPANIES = ("northstar-retail", "halden-manufacturing", "yunqi-services")


@pytest.fixture(scope="module", params=COMPANIES)
def company(catalogue: Catalogue, request: pytest.FixtureRequest) -> Iterator[Tenant]:
    """A demo company without its records."""
    slug = f"roles-of-{request.param}"
    layers = Workspace(ROOT).layers_for_tenant(request.param)
    yield catalogue.create(slug, layers, "test")
    flush()
    catalogue.drop(slug)


@pytest.fixture(scope="module")
def app(company: Tenant, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The company's pages and its API."""
    settings = Settings(var=tmp_path_factory.mktemp("roles"))
    return create_tenant_app(company, settings, None, extensions=(add_api,))


def store_of(tenant: Tenant, person: UUID) -> Store:
    with tenant.begin() as connection:
        found = read_person_by_id(connection, tenant, person)
    assert found is not None
    return Store(tenant, principal_for(tenant, found))


def test_pages_and_api_open_for_whom_the_grants_say(company: Tenant, app: Flask) -> None:
    wrong = []
    for turn, (role, definition) in enumerate(company.model.roles.items()):
        person = add_person(company, f"{role}@roles.example", role)
        client, store = signed_in_client(app, f"{role}@roles.example"), store_of(company, person)
        asked: list[tuple[str, bool]] = [("/", True), ("/admin/users", "admin" in definition.allow)]
        for place, (key, entity) in enumerate(company.model.entities.items()):
            reads, creates = store.may("read", key), store.may("create", key)
            # one door of three in turn, so that every role and every entity meets each of them
            door = (turn + place) % 3
            if door == 0 and entity.part_of is None and is_on(company, entity):
                asked.append((f"/e/{key}/", reads))
            elif door == 1 and entity.part_of is None and is_on(company, entity):
                asked.append((f"/e/{key}/new", creates))
            elif door == 2 and "api" in definition.allow and entity.features.api:
                asked.append((f"/api/v1/{key}?limit=1", reads))
        for address, may in asked:
            status = outcome(client.get(address))
            if status >= 500 or (status == 200) != may:
                wrong.append(f"{role}: {address} answers {status}, may: {may}")
    assert not wrong, "\n".join(wrong)


def test_no_operation_answers_what_its_document_does_not_say(company: Tenant, app: Flask) -> None:
    """A few of some hundred, other ones of each company; `make fuzz` asks them all."""
    administrator = add_person(company, "fuzz@roles.example", "admin")
    caller = Caller(app, create_key(company, administrator, "fuzz")[1])
    turn = COMPANIES.index(company.slug.removeprefix("roles-of-"))
    wrong = [
        f"{operation.method.upper()} {operation.path}: {text}"
        for operation in caller.operations()[17 + 31 * turn :: 240]
        for text in caller.surprises(operation, examples=2, number=turn)
    ]
    assert not wrong, "\n".join(wrong)
