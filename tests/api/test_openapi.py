"""The OpenAPI document: valid, true for this caller, and made once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from openapi_spec_validator.schemas import schema_v31
from tests.api.conftest import Api, Office

from trellis.api.openapi.document import document
from trellis.config.workspace import Workspace
from trellis.formula.reader import Reader
from trellis.records.principal import Principal
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant

ROOT = Path(__file__).parents[2]
DEMO = ("northstar-retail", "halden-manufacturing", "yunqi-services")


@pytest.fixture(scope="module", params=DEMO)
def demo(request: pytest.FixtureRequest, catalogue: Catalogue) -> Iterator[Tenant]:
    """A demo tenant, without records."""
    slug = str(request.param)
    yield catalogue.create(f"api-{slug}", Workspace(ROOT).layers_for_tenant(slug), "test")
    catalogue.drop(f"api-{slug}")


def made_for(store: Store) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(document(store, base="/api/v1", language="en"))
    return found


def references(part: Any) -> Iterator[str]:
    """Every place in the document that another one points to."""
    if isinstance(part, list):
        part = dict(enumerate(part))
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for each in part.values():
            yield from references(each)


def test_the_document_of_every_template_is_valid(demo: Tenant, office: Office) -> None:
    """By a compiled validator: a template's document is large, and the one below looks closer at a small one."""
    with office.app.test_request_context():
        reader = Reader(roles=frozenset({"admin"}))
        made = made_for(Store(demo, Principal(reader, roles=reader.roles)))
    shape = jsonschema_rs.Draft202012Validator(dict(schema_v31))
    assert [f"{error.instance_path}: {error.message}" for error in shape.iter_errors(made)] == []
    for schema in made["components"]["schemas"].values():
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})
    places = {f"#/components/{kind}/{name}" for kind, named in made["components"].items() for name in named}
    assert set(references(made)) <= places
    names = [operation["operationId"] for methods in made["paths"].values() for operation in methods.values()]
    assert len(names) == len(set(names)) > 100


def test_the_document_is_valid_for_whoever_asks(office: Office) -> None:
    for user, limits in ((office.mona, {}), (office.carl, {}), (office.mona, {"scopes": ["account:create"]})):
        OpenAPIV31SpecValidator(office.api(user, **limits).get("openapi.json").json).validate()


def test_operations_have_names_of_their_own(mona: Api) -> None:
    paths = mona.get("openapi.json").json["paths"]
    names = [operation["operationId"] for methods in paths.values() for operation in methods.values()]
    assert len(names) == len(set(names))


def test_types_are_exact(mona: Api) -> None:
    schemas = mona.get("openapi.json").json["components"]["schemas"]
    order = schemas["Order"]["properties"]
    assert order["kind"]["enum"] == ["standard", "express", None]
    assert order["due"] == {"type": ["string", "null"], "format": "date", "title": "Due"}
    assert order["account"]["properties"]["entity"]["enum"] == ["account"]
    assert order["lines"] == {"type": "array", "items": {"$ref": "#/components/schemas/OrderLine"}}
    assert schemas["OrderCreate"]["required"] == ["number", "name"]
    assert "amount" not in schemas["OrderPatch"]["properties"]
    assert schemas["OrderPatch"]["properties"]["token"]["writeOnly"] is True


def test_a_caller_is_told_only_of_what_is_allowed(office: Office, carl: Api) -> None:
    found = carl.get("openapi.json").json
    assert "/payslip" not in found["paths"]
    assert set(found["paths"]["/account"]) == {"get"}
    assert "margin" not in found["components"]["schemas"]["Order"]["properties"]
    narrow = office.api(scopes=["account:read"]).get("openapi.json").json
    assert {path.split("/")[1] for path in narrow["paths"]} == {"account", "meta"}


def test_labels_are_in_the_callers_language_and_the_document_is_made_once(office: Office) -> None:
    with office.app.test_request_context():
        store = Store(office.tenant, Principal.system(Reader()))
        first = document(store, base="/api/v1", language="en")
        assert document(store, base="/api/v1", language="en") is first
        assert document(store, base="/api/v1", language="zh-Hans") is not first
