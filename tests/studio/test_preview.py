"""The preview of a draft: drawn from the draft's Model, without a database behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from tests.conftest import layers_of
from tests.web.frame_tenants import YAML, add_person, signed_in_client

from trellis.config.workspace import Workspace
from trellis.model.compile import compile_layers
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue
from trellis.storage.secrets import use_installation_key
from trellis.storage.tenant import Tenant
from trellis.studio.app import add_studio
from trellis.studio.preview.changed import changed_entities
from trellis.studio.preview.drawing import board_pieces, form_piece, list_piece, record_piece, views_of
from trellis.studio.preview.store import NoDatabase, SampleStore, draft_tenant
from trellis.web.app import create_tenant_app
from trellis.web.context import current_principal, current_tenant
from trellis.web.navigation import sidebar
from trellis.web.settings import Settings

SLUG = "studio-preview"
OWN = YAML.replace(
    "  owner: {type: user, default: =me, role: owner}\n", "  owner: {type: user}\n  size: {type: text}\n", 1
)
JOBS = """
---
entity: job
label: Job
plural: Jobs
title: name
fields:
  name: {type: text}
views:
  board: {type: kanban, group: %s}
---
pipeline: short
entity: job
field: stage
stages: {begun: Begun, over: {label: Over, type: done}}
---
pipeline: long
entity: job
field: %s
stages: {asked: Asked, met: {label: Met, type: done}}
"""
LATER = """---
pipeline: longest
entity: job
field: status
stages: {heard: Heard, seen: {label: Seen, type: done}}
"""
OWN += JOBS % ("stage", "stage")
DRAFT = (
    OWN.replace(JOBS % ("stage", "stage"), JOBS % ("status", "status") + LATER).replace(
        "  size: {type: text}\n", "  extent: {type: text, was: size}\n  shoe: {type: decimal}\n"
    )
    + """
---
entity: fitting
label: Fitting
plural: Fittings
fields:
  name: {type: text}
  foot: {type: choice, choices: [left, right]}
views:
  board: {type: kanban, group: foot}
---
menu: main
groups: {work: {label: Shoes, items: [fitting]}}
"""
).replace("menu: main\ngroups:\n  work: {label: Work, items: [account, payslip]}\n", "role: none\nlabel: None\n")


@pytest.fixture(scope="module")
def app(catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    var = tmp_path_factory.mktemp("preview")
    use_installation_key(var)
    tenant = catalogue.create(SLUG, layers_of({"schemas/own.yaml": OWN}, SLUG), "test")
    for email, role in (("anna@x.example", "admin"), ("adam@x.example", "admin"), ("rob@x.example", "rep")):
        add_person(tenant, email, role, name=email.partition("@")[0].title())
    app = create_tenant_app(tenant, Settings(var=var), catalogue, [add_studio])
    app.config["WTF_CSRF_ENABLED"] = False
    yield app
    catalogue.drop(SLUG)


@pytest.fixture(scope="module")
def admin(app: Flask) -> FlaskClient:
    client = signed_in_client(app, "anna@x.example")
    tenant: Tenant = app.extensions["trellis"].tenant
    client.post("/e/account/new", data={"_has": ["name", "size"], "name": "Acme", "size": "wide"})
    said = client.post("/admin/configuration/draft", json={"path": "schemas/own.yaml", "text": DRAFT, "version": 0})
    assert said.json is not None
    assert said.json["errors"] == 0, said.json["problems"]
    assert tenant.revision == 1
    return client


def look(client: FlaskClient, query: str) -> str:
    page = client.get(f"/admin/configuration/preview?{query}")
    assert page.status_code == 200
    return page.text


def test_a_draft_is_drawn_over_the_records_that_are_live(admin: FlaskClient) -> None:
    """A field that is renamed shows what is in it, one that is new is blank, and the form has a place for both."""
    form, rows = look(admin, "entity=account"), look(admin, "entity=account&show=view.all")
    assert "nothing is saved" in form
    assert 'name="shoe"' in form
    assert "wide" not in form
    assert "Acme" in rows
    assert "wide" in rows


def test_what_has_no_table_is_drawn_with_made_up_records(admin: FlaskClient) -> None:
    board = look(admin, "entity=fitting&show=view.board")
    assert "made up" in board
    assert board.count('class="t-card"') == 4
    assert "Fitting 1" in look(admin, "entity=fitting&show=record")
    assert "Shoes" in look(admin, "entity=menu")


def test_a_pipeline_that_goes_to_another_field_has_a_board(admin: FlaskClient) -> None:
    board = look(admin, "entity=job&show=view.board")
    assert "Asked" in board
    assert "Heard" in board


def test_nobody_else_sees_it(admin: FlaskClient, app: Flask) -> None:
    other = signed_in_client(app, "adam@x.example")
    assert "You have changed nothing" in look(other, "entity=fitting")
    assert signed_in_client(app, "rob@x.example").get("/admin/configuration/preview").status_code == 403
    assert "Fitting" not in admin.get("/e/account/").text


def test_a_broken_draft_is_told_instead(app: Flask) -> None:
    other = signed_in_client(app, "adam@x.example")
    broken = OWN.replace("type: text}", "type: txet}", 1)
    other.post("/admin/configuration/draft", json={"path": "schemas/own.yaml", "text": broken, "version": 0})
    assert "E210" in look(other, "")
    other.post("/admin/configuration/discard")


def test_every_entity_of_the_templates_is_drawn_without_a_database(app: Flask) -> None:
    """Every field type, view, pipeline and list of lines that there is; a statement would raise NoDatabase."""
    layers = Workspace(Path(__file__).parents[2]).layers_for_tenant("yunqi-services")
    compiled = compile_layers(layers)
    assert compiled.model is not None
    client = signed_in_client(app, "anna@x.example")
    with client:
        client.get("/profile")  # its request goes on until the block ends
        principal = replace(current_principal(), is_system=True)
        store = SampleStore(draft_tenant(current_tenant(), compiled), principal, Store(current_tenant(), principal))
        with pytest.raises(NoDatabase), store.tenant.begin():
            pass
        assert "public-leads" in str(sidebar(store))
        drawn = 0
        for entity in compiled.model.entities.values():
            if entity.internal or entity.part_of:
                continue
            assert all(f.is_lines or f.render() for s in form_piece(store, entity).sections for f in s.fields)
            assert record_piece(store, entity).record.title
            for view in views_of(entity, frozenset()).values():
                if view.type == "kanban":
                    assert all(piece.lanes for piece in board_pieces(store, entity, view))
                else:
                    assert list_piece(store, entity, view).rows
                drawn += 1
        assert drawn > 60


def test_only_what_differs_is_offered() -> None:
    """The same content read twice is the same; a label, a rule's formula or a new field of a part is a difference."""
    one, other = ("\n".join([YAML, "# again" * n]) for n in (0, 1))
    live, same = (compile_layers(layers_of({"schemas/own.yaml": text}, "x")).model for text in (one, other))
    changed = compile_layers(layers_of({"schemas/own.yaml": YAML.replace("default: =me", "default: =me.manager")}, "x"))
    assert live is not None
    assert same is not None
    assert live is not same
    assert changed_entities(live, same) == []
    assert changed.model is not None
    assert [e.key for e in changed_entities(live, changed.model)] == ["account"]
