"""Requests from outside that set workflows off: signed, in time, once."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from standardwebhooks.webhooks import Webhook
from tests.web.frame_tenants import YAML, app_of

from trellis.automation.worker import drain
from trellis.automation.workflows import engine  # noqa: F401 (does the runs)
from trellis.storage.catalogue import Catalogue
from trellis.storage.secrets import secret_name
from trellis.web.pages.hooks import LARGEST

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
HOOK = """
---
entity: order
title: number
fields: {number: {type: text}}
---
workflow: take
on: {webhook: {key: erp, into: order, secret: erp}}
when: not is_blank(order.number)
steps: [{create: order, set: {number: "No. {order.number}"}}]
"""


@pytest.fixture
def tenant(make_tenant: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    made = make_tenant(YAML + HOOK)
    monkeypatch.setenv(secret_name(made.slug, "erp"), SECRET)
    return made


@pytest.fixture
def client(tenant: Any, tmp_path: Any) -> FlaskClient:
    return app_of(tenant, tmp_path).test_client()


def send(
    client: FlaskClient,
    body: str,
    id: str = "m1",
    at: datetime | None = None,
    sign: str = SECRET,
    headers: dict[str, str] | None = None,
) -> int:
    at = at or datetime.now(UTC)
    said = {
        "webhook-id": id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(sign).sign(id, at, body),
    }
    return client.post("/hooks/erp", data=body, headers=said | (headers or {})).status_code


def orders(tenant: Any) -> list[str]:
    table = tenant.tables.entity["order"]
    with tenant.begin() as connection:
        return list(connection.execute(sa.select(table.c.number)).scalars())


def test_a_signed_request_is_taken_once(tenant: Any, client: FlaskClient, catalogue: Catalogue) -> None:
    assert send(client, '{"number": 7}') == 202
    assert send(client, '{"number": 7}') == 202
    assert send(client, '{"number": 8}', id="m2") == 202
    assert send(client, '{"number": null}', id="m3") == 202  # the workflow's condition does not hold
    drain(catalogue, tenant)
    assert sorted(orders(tenant)) == ["No. 7", "No. 8"]


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ({"sign": "whsec_" + "A" * 32}, 401),
        ({"at": datetime.now(UTC) - timedelta(minutes=6)}, 401),
        ({"body": "{"}, 400),
        ({"id": "x" * 300}, 401),
        ({"headers": {"webhook-timestamp": "9" * 5000}}, 401),
        ({"headers": {"webhook-signature": "v1,\u00e9"}}, 401),
    ],
)
def test_others_are_refused(tenant: Any, client: FlaskClient, how: dict[str, Any], status: int) -> None:
    assert send(client, how.pop("body", "{}"), **how) == status
    assert client.post("/hooks/erp", data="{}").status_code == 401
    assert client.post("/hooks/none", data="{}").status_code == 404


@pytest.mark.parametrize("said", [{}, {"wsgi.input_terminated": True, "CONTENT_LENGTH": None}])
def test_a_body_is_no_larger_than_it_may_be(client: FlaskClient, said: dict[str, Any]) -> None:
    """Also one that comes in pieces and does not say how large it is."""
    body = io.BytesIO(b"x" * (LARGEST + 1))
    how = {"wsgi.input": body, "CONTENT_LENGTH": str(LARGEST + 1), "CONTENT_TYPE": "multipart/form-data; boundary=x"}
    assert client.post("/hooks/erp", environ_overrides=how | said).status_code == 413
