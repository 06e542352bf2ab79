"""Publishing that a worker does, and publishing while files are applied from a shell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from flask.testing import FlaskClient
from tests.conftest import layers_of
from tests.studio.test_pages import OWN, keep, seal, with_shoe
from tests.web.frame_tenants import add_person, signed_in_client

from trellis.automation.worker.drain import drain
from trellis.config.layer import Layer
from trellis.storage.apply import PlanOutdated, apply
from trellis.storage.catalogue import Catalogue, lock_tenant
from trellis.storage.plan import plan
from trellis.storage.secrets import use_installation_key
from trellis.storage.tenant import Tenant
from trellis.studio import planning, publishing
from trellis.studio.app import add_studio
from trellis.web.app import create_tenant_app
from trellis.web.settings import Settings

PUBLISH = "/admin/configuration/publish"
OTHER = "entity: store\nfields: {name: {type: text}}\n"


@dataclass
class Office:
    """A company, an administrator's browser, and the shell of whoever runs the server."""

    catalogue: Catalogue
    tenant: Tenant
    admin: FlaskClient

    @property
    def number(self) -> int:
        """The revision that is live."""
        return self.catalogue.entry(self.tenant.slug).revision

    @property
    def own(self) -> str:
        """The file that the tests change, as it is live."""
        return self.live()["schemas/own.yaml"]

    def planned(self, files: dict[str, str]) -> Any:
        """What `trellis plan` finds."""
        return plan(self.catalogue.get(self.tenant.slug), layers_of(files, self.tenant.slug))

    def live(self) -> dict[str, str]:
        """The tenant's own files as they are live."""
        layers = self.catalogue.revision(self.tenant.slug, self.number).layers
        own: Layer = layers[-1]
        return own.text()

    def ask(self) -> str:
        """Publish the draft; the address that the browser is sent to."""
        page = self.admin.get(PUBLISH)
        answer = self.admin.post(PUBLISH, data={"seal": seal(page), "why": "Shoes"})
        return answer.headers.get("Location", "") or answer.text


@pytest.fixture(scope="module")
def made(catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    var = tmp_path_factory.mktemp("publishing")
    use_installation_key(var)
    tenant = catalogue.create("publishing", layers_of({"schemas/own.yaml": OWN}, "publishing"), "test")
    add_person(tenant, "anna@x.example", "admin", name="Anna Admin")
    app = create_tenant_app(tenant, Settings(var=var), catalogue, [add_studio])
    app.config["WTF_CSRF_ENABLED"] = False
    yield Office(catalogue, tenant, signed_in_client(app, "anna@x.example"))
    catalogue.drop("publishing")


@pytest.fixture
def office(made: Office) -> Iterator[Office]:
    yield made
    made.admin.post("/admin/configuration/discard")


def test_what_takes_long_is_done_by_a_worker(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "LONG_ROWS", 0)
    number = office.number
    keep(office.admin, with_shoe(office.own))
    off = office.ask()
    office.admin.post(f"{off}/cancel")
    waiting = office.ask()
    assert "/publishing/" in waiting
    assert waiting != off
    assert "waits for its turn" in office.admin.get(waiting).text
    assert office.admin.get(f"{waiting}/state").json == {"state": "waiting"}
    assert office.number == number
    drain(office.catalogue, office.tenant)
    assert "called off" in office.admin.get(off).text
    assert office.admin.get(waiting).headers["Location"].endswith(f"/published/{number + 1}")
    assert office.number == number + 1
    assert "Shoe" in office.own
    assert "You have changed nothing" in office.admin.get(PUBLISH).text


def test_a_worker_that_dies_once_all_is_published_says_so_at_the_next_try(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "LONG_ROWS", 0)
    number = office.number
    monkeypatch.setattr(publishing, "_done", Mock(side_effect=MemoryError))
    keep(office.admin, office.own + "# once\n")
    waiting = office.ask()
    drain(office.catalogue, office.tenant)
    assert "The tables are being changed" in office.admin.get(waiting).text
    monkeypatch.undo()
    drain(office.catalogue, office.tenant, ahead=timedelta(minutes=1))
    assert office.admin.get(waiting).headers["Location"].endswith(f"/published/{number + 1}")
    assert office.number == number + 1
    assert "You have changed nothing" in office.admin.get(PUBLISH).text


def test_files_that_are_applied_meanwhile_and_the_draft_are_both_kept(office: Office) -> None:
    """Nothing but what was looked at is published, and nobody's page waits for a shell's apply."""
    number, own = office.number, office.own
    keep(office.admin, own + "# more\n")
    with office.tenant.database.engine.begin() as connection:
        lock_tenant(connection, office.tenant.slug)  # an apply is at work
        waiting = office.ask()
    assert "/publishing/" in waiting
    planned = office.planned({"schemas/own.yaml": own, "schemas/store.yaml": OTHER})
    apply(office.catalogue, planned, "shell", "From files")
    drain(office.catalogue, office.tenant)
    assert "Somebody has published something meanwhile" in office.admin.get(waiting).text
    assert office.own == own
    assert f"/published/{number + 2}" in office.ask()
    assert office.own == own + "# more\n"
    assert office.live()["schemas/store.yaml"] == OTHER


def test_files_that_were_planned_before_somebody_published_are_refused(office: Office) -> None:
    """The shell's plan was shown and is confirmed only now: it would take back what came in between."""
    planned = office.planned({**office.live(), "schemas/own.yaml": office.own + "# theirs\n"})
    wanted = office.own + "# mine\n"
    keep(office.admin, wanted)
    assert "/published/" in office.ask()
    with pytest.raises(PlanOutdated):
        apply(office.catalogue, planned, "shell", "From files")
    assert office.own == wanted
