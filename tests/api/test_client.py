"""A public generator makes a client from the document, and the client works."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from types import ModuleType

import httpx
import orjson
import pytest
from openapi_python_client import Config, generate
from openapi_python_client.config import ConfigFile, MetaType
from tests.api.conftest import Api, Office


@pytest.fixture(scope="module")
def client_package(office: Office, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """What the generator makes of the manager's document."""
    folder = tmp_path_factory.mktemp("client")
    document = office.api().get("openapi.json").json
    source = folder / "openapi.json"
    source.write_bytes(orjson.dumps(document))
    made = folder / "office_client"
    options = ConfigFile(package_name_override="office_client", post_hooks=[])
    config = Config.from_sources(
        options, MetaType.NONE, document_source=source, file_encoding="utf-8", overwrite=True, output_path=made
    )
    problems = generate(config=config)
    assert problems == [], [f"{p.header} {p.detail}" for p in problems]
    sys.path.insert(0, str(folder))
    yield importlib.import_module("office_client")
    sys.path.remove(str(folder))


def test_the_generated_client_makes_reads_and_lists(client_package: ModuleType, office: Office, mona: Api) -> None:
    client = client_package.AuthenticatedClient(base_url="http://testserver/api/v1", token=mona.secret)
    transport = httpx.WSGITransport(app=office.app)  # type: ignore[arg-type]
    headers = {"Authorization": f"Bearer {mona.secret}"}
    with httpx.Client(transport=transport, base_url="http://testserver/api/v1", headers=headers) as session:
        client.set_httpx_client(session)
        api, models = (importlib.import_module(f"office_client.{name}") for name in ("api.accounts", "models"))
        create, listing = (importlib.import_module(f"{api.__name__}.{n}_account") for n in ("create", "list"))
        made = create.sync(client=client, body=models.AccountCreate(name="By the client"))
        assert made.name == "By the client"
        page = listing.sync(client=client, filter_='name == "By the client"')
        assert [row.id for row in page.data] == [made.id]
