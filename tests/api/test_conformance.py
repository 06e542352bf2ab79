"""What the document says is what the API does: requests made from it meet no surprise."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.api.conftest import Office

from trellis.api import rates

CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def by_document(office: Office) -> schemathesis.BaseSchema:
    """The API as its document describes it."""
    headers = {"Authorization": f"Bearer {office.key()}"}
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", office.app, headers=headers)


@pytest.mark.parametrize("tag", ["Orders", "Accounts", "People", "Contacts", "Problems", "meta"])
def test_no_request_meets_a_surprise(office: Office, by_document: schemathesis.BaseSchema, tag: str) -> None:
    headers = {"Authorization": f"Bearer {office.key()}"}
    ways = settings(
        max_examples=8,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
        derandomize=True,
    )
    operations = [result.ok() for result in by_document.get_all_operations()]
    chosen = [operation for operation in operations if tag in operation.tags]
    assert chosen
    for operation in chosen:

        @ways
        @given(case=operation.as_strategy())
        def meets_none(case: Case) -> None:
            rates.forget_counts()
            case.call_and_validate(headers=headers, checks=CHECKS)

        meets_none()
