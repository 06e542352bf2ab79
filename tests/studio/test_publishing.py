"""Publishing that a worker does, and publishing while files are applied from a shell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

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
from trellis.studio import planning
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

    def apply(self, files: dict[str, str]) -> None:
        """`trellis apply` with these files."""
        apply(self.catalogue, self.planned(files), "shell", "From files")

    def planned(self, files: dict[str, str]) -> Any:
        """What `trellis plan` finds."""
        return plan(self.catalogue.get(self.tenant.slug), layers_of(files, self.tenant.slug))

    def live(self) -> dict[str, str]:
        """The tenant's own files as they are live."""
        layers = self.catalogue.revision(self.tenant.slug, self.catalogue.entry(self.tenant.slug).revision).layers
        own: Layer = layers[-1]
        return own.text()

    def ask(self) -> str:
        """Publish the draft; the address that the browser is sent to."""
        page = self.admin.get(PUBLISH)
        answer = self.admin.post(PUBLISH, data={"seal": seal(page), "why": "Shoes"})
        return answer.headers.get("Location", "") or answer.text


@pytest.fixture(scope="module")
def make(catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Office]]:
    var = tmp_path_factory.mktemp("publishing")
    use_installation_key(var)
    made: list[str] = []

    def office() -> Office:
        slug = f"publishing-{len(made)}"
        made.append(slug)
        tenant = catalogue.create(slug, layers_of({"schemas/own.yaml": OWN}, slug), "test")
        add_person(tenant, "anna@x.example", "admin", name="Anna Admin")
        app = create_tenant_app(tenant, Settings(var=var), catalogue, [add_studio])
        app.config["WTF_CSRF_ENABLED"] = False
        return Office(catalogue, tenant, signed_in_client(app, "anna@x.example"))

    yield office
    for slug in made:
        catalogue.drop(slug)


def test_what_takes_long_is_done_by_a_worker(make: Callable[[], Office], monkeypatch: pytest.MonkeyPatch) -> None:
    office = make()
    monkeypatch.setattr(planning, "LONG_ROWS", 0)
    keep(office.admin, with_shoe())
    waiting = office.ask()
    assert "/publishing/" in waiting
    assert "waits for its turn" in office.admin.get(waiting).text
    assert office.admin.get(f"{waiting}/state").json == {"state": "waiting"}
    assert "Shoe" not in office.live()["schemas/own.yaml"]
    assert office.ask() == waiting  # twice pressed is once published
    drain(office.catalogue, office.tenant)
    assert office.admin.get(waiting).headers["Location"].endswith("/published/2")
    assert "Shoe" in office.live()["schemas/own.yaml"]
    assert "You have changed nothing" in office.admin.get(PUBLISH).text
    drain(office.catalogue, office.tenant)
    assert office.catalogue.entry(office.tenant.slug).revision == 2


def test_nothing_but_what_was_looked_at_is_published(
    make: Callable[[], Office], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files that are applied, or a draft that is changed, while it waits: neither's change is lost."""
    office = make()
    with office.tenant.database.engine.begin() as connection:
        lock_tenant(connection, office.tenant.slug)  # an apply is at work: no page waits for it
        keep(office.admin, with_shoe())
        waiting = office.ask()
    assert "/publishing/" in waiting
    office.apply({"schemas/own.yaml": OWN, "schemas/store.yaml": OTHER})
    drain(office.catalogue, office.tenant)
    assert "Somebody has published something meanwhile" in office.admin.get(waiting).text
    assert "Shoe" not in office.live()["schemas/own.yaml"]
    assert "/published/3" in office.ask()
    assert "Shoe" in office.live()["schemas/own.yaml"]
    assert office.live()["schemas/store.yaml"] == OTHER
    # what is called off stays off
    monkeypatch.setattr(planning, "LONG_ROWS", 0)
    keep(office.admin, with_shoe() + "# more\n", version=0)
    waiting = office.ask()
    office.admin.post(f"{waiting}/cancel")
    drain(office.catalogue, office.tenant)
    assert "called off" in office.admin.get(waiting).text
    assert office.catalogue.entry(office.tenant.slug).revision == 3


def test_files_that_were_planned_before_somebody_published_are_refused(make: Callable[[], Office]) -> None:
    """The shell's plan was shown and is confirmed only now: it would take back what came in between."""
    office = make()
    planned = office.planned({"schemas/own.yaml": OWN, "schemas/store.yaml": OTHER})
    keep(office.admin, with_shoe())
    assert "/published/2" in office.ask()
    with pytest.raises(PlanOutdated):
        apply(office.catalogue, planned, "shell", "From files")
    assert "Shoe" in office.live()["schemas/own.yaml"]
    # and the page's plan, when files were applied since it was looked at
    keep(office.admin, with_shoe() + "# more\n")
    page = office.admin.get(PUBLISH)
    office.apply({"schemas/own.yaml": with_shoe(), "schemas/store.yaml": OTHER})
    late = office.admin.post(PUBLISH, data={"seal": seal(page), "why": "More"})
    assert late.status_code == 422
    assert "has changed since you looked" in late.text
    assert "/published/4" in office.ask()
    assert office.live()["schemas/own.yaml"] == with_shoe() + "# more\n"
    assert office.live()["schemas/store.yaml"] == OTHER
