"""Who has opened records of persons is noted: one line for a record, one for a list, none for other records."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from tests.conftest import layers_of
from tests.web.frame_tenants import YAML, add_person, app_of, signed_in_client

from trellis.api.app import add_api
from trellis.formula.reader import Reader
from trellis.identity.api_keys import create_key
from trellis.records.principal import Principal
from trellis.records.privacy.access import purge_old
from trellis.records.store import Store
from trellis.records.transfer import export_csv
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant
from trellis.web import reading_log
from trellis.web.readings import LISTS, RECORDS

CRM = YAML.replace("allow: [admin]", "allow: [admin, api]") + (
    """
---
entity: patient
label: Patient
title: name
fields:
  name: {type: text, required: true, search: true, personal: true}
  email: {type: email, personal: true}
  account: {type: link, to: account, inverse: patients}
"""
)


@pytest.fixture(scope="module")
def tenant(catalogue: Catalogue) -> Iterator[Tenant]:
    tenant = catalogue.create("readings", layers_of(CRM, "readings"), "test")
    add_person(tenant, "ada@readings.example", "admin", name="Ada")
    yield tenant
    catalogue.drop("readings")


@pytest.fixture(scope="module")
def app(tenant: Tenant, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return app_of(tenant, Path(tmp_path_factory.mktemp("readings")))


@pytest.fixture(scope="module")
def system(tenant: Tenant) -> Store:
    return Store(tenant, Principal.system(Reader()))


@pytest.fixture
def lines(tenant: Tenant) -> Callable[[], list[Any]]:
    table = tenant.tables.platform.access
    reading_log.flush()
    with tenant.begin() as connection:
        connection.execute(sa.delete(table))

    def read() -> list[Any]:
        reading_log.flush()
        with tenant.begin() as connection:
            return list(connection.execute(sa.select(table).order_by(table.c.at)))

    return read


@pytest.fixture(scope="module")
def patient(system: Store) -> UUID:
    account = system.create("account", {"name": "Ward"})
    return system.create("patient", {"name": "Pat", "email": "pat@example.com", "account": account.id}).id


def test_every_address_that_is_named_exists(app: Flask, tenant: Tenant) -> None:
    from trellis.web.app import create_tenant_app
    from trellis.web.settings import Settings

    both = create_tenant_app(tenant, Settings(var=Path("var")), extensions=(add_api,))
    known = {rule.endpoint for rule in both.url_map.iter_rules()}
    assert set(RECORDS) | set(LISTS) <= known


def test_a_page_of_a_person_is_one_line(app: Flask, patient: UUID, lines: Any) -> None:
    ada = signed_in_client(app, "ada@readings.example")
    assert ada.get(f"/e/patient/{patient}").status_code == 200
    [line] = lines()
    assert (line.how, line.entity, line.record, line.by_name) == ("record", "patient", patient, "Ada")
    assert line.address == "127.0.0.1"
    assert line.request


def test_what_changes_of_an_open_page_is_no_new_reading(app: Flask, patient: UUID, lines: Any) -> None:
    ada = signed_in_client(app, "ada@readings.example")
    ada.get(f"/e/patient/{patient}")
    ada.get(f"/e/patient/{patient}?parts=1")
    ada.get(f"/e/patient/{UUID(int=1)}")
    ada.get("/e/account/")
    app.test_client().get(f"/e/patient/{patient}")
    assert len(lines()) == 1


def test_what_changes_of_a_page_that_nobody_opened_is_a_reading(
    app: Flask, system: Store, patient: UUID, lines: Any
) -> None:
    unseen = system.create("patient", {"name": "Quiet"}).id
    ada = signed_in_client(app, "ada@readings.example")
    ada.get(f"/e/patient/{unseen}?parts=1")
    ada.get(f"/e/patient/{unseen}?parts=1")
    assert [(line.how, line.record) for line in lines()] == [("record", unseen)]
    system.delete("patient", unseen)


def test_one_row_of_a_list_is_a_reading_of_that_record(app: Flask, patient: UUID, lines: Any) -> None:
    ada = signed_in_client(app, "ada@readings.example")
    assert ada.get(f"/e/patient/rows?only={patient}").status_code == 200
    assert ada.get("/e/patient/rows").status_code == 200
    assert [(line.how, line.record, line.count) for line in lines()] == [("list", patient, 1), ("list", None, 1)]


@pytest.mark.parametrize("word", ["only=1", "parts=1", "parts=&only=", "=1"])
def test_no_word_in_an_address_hides_a_reading(app: Flask, patient: UUID, lines: Any, word: str) -> None:
    ada = signed_in_client(app, "ada@readings.example")
    ada.get(f"/e/patient/{patient}")
    for address in (f"/e/patient/?{word}", f"/e/patient/{patient}/edit?{word}", f"/e/patient/{patient}/peek?{word}"):
        assert ada.get(address).status_code == 200, address
    assert [line.how for line in lines()] == ["record", "list", "record", "record"]


def test_a_list_is_one_line_with_its_filter_and_count(app: Flask, system: Store, patient: UUID, lines: Any) -> None:
    ada = signed_in_client(app, "ada@readings.example")
    assert ada.get("/e/patient/?q=Pat").status_code == 200
    [line] = lines()
    assert (line.how, line.entity, line.record, line.count, line.filter) == ("list", "patient", None, 1, "q=Pat")
    account = system.read("patient", patient, fields=["account"])["account"].id
    ada.get(f"/e/account/{account}/related/patients")
    assert [(r.how, r.entity) for r in lines()[1:]] == [("list", "patient")]


def test_the_api_and_exports_are_told_apart(tenant: Tenant, patient: UUID, lines: Any, system: Store) -> None:
    from trellis.web.app import create_tenant_app
    from trellis.web.settings import Settings

    both = create_tenant_app(tenant, Settings(var=Path("var")), extensions=(add_api,))
    user = tenant.tables.entity["user"]
    with tenant.begin() as connection:
        ada = connection.execute(sa.select(user.c.id)).scalar_one()
    _key, secret = create_key(tenant, ada, "Reads")
    client, headers = both.test_client(), {"Authorization": f"Bearer {secret}"}
    assert client.get(f"/api/v1/patient/{patient}?parts=1&only=1", headers=headers).status_code == 200
    assert client.get("/api/v1/patient?filter=name%20==%20%22Pat%22", headers=headers).status_code == 200
    export_csv(system, "patient", io.StringIO(), columns=["name"])
    one, many, file = lines()
    assert (one.how, one.record, one.by) == ("api", patient, ada)
    assert (many.how, many.count, many.filter) == ("api", 1, 'filter=name == "Pat"')
    assert (file.how, file.count) == ("export", 1)


def test_old_lines_go(app: Flask, tenant: Tenant, patient: UUID, lines: Any) -> None:
    signed_in_client(app, "ada@readings.example").get(f"/e/patient/{patient}")
    reading_log.flush()
    now = datetime.now(UTC)
    assert purge_old(tenant, now + timedelta(days=365, hours=-1)) == 0
    assert purge_old(tenant, now + timedelta(days=365, hours=1)) == 1
    assert lines() == []


def test_lines_are_written_by_themselves_and_lost_ones_stop_nothing(
    app: Flask, tenant: Tenant, patient: UUID, lines: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = signed_in_client(app, "ada@readings.example")
    ada.get(f"/e/patient/{patient}")
    table = tenant.tables.platform.access
    until = time.monotonic() + 20
    found = 0
    while not found and time.monotonic() < until:
        with tenant.begin() as connection:
            found = connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
        time.sleep(0.05)
    assert found == 1
    monkeypatch.setattr(reading_log, "write_rows", lambda *_: 1 / 0)
    ada.get(f"/e/patient/{patient}")
    reading_log.flush()
    monkeypatch.undo()
    assert ada.get(f"/e/patient/{patient}").status_code == 200
    assert len(lines()) == 2
