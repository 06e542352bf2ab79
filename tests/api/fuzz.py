"""Requests made from a tenant's OpenAPI document: none is answered by what the document does not say.

    python -m tests.api.fuzz [COMPANY…] [--examples N] [--seed N] [--only TEXT]      (make fuzz)

makes the demo companies with their data in a database of its own and calls every operation of each one's API, well
and badly formed, with an administrator's key and with a key of a small role. What is found is printed as a request
to repeat; the exit status is 1.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import schemathesis
import sqlalchemy as sa
import structlog
from flask import Flask
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from trellis.api import rates
from trellis.api.app import add_api
from trellis.config.layer import layer_from_files
from trellis.config.workspace import Workspace
from trellis.identity.api_keys import create_key
from trellis.packaging.provision import provision
from trellis.storage.catalogue import Catalogue
from trellis.storage.database import Database
from trellis.storage.secrets import use_installation_key
from trellis.storage.tenant import Tenant
from trellis.web.app import create_tenant_app
from trellis.web.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
ADMINISTRATOR = "admin"
SLOW = 10  # seconds for one operation, which are told
COMPANIES = {"northstar-retail": "guide", "halden-manufacturing": "sales-rep", "yunqi-services": "consultant"}
"""The demo companies, with a small role of each that is given the API here."""


@dataclass
class Caller:
    """A key, and the document that is made for it."""

    app: Flask
    key: str
    records: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By entity, some records that there are: made-up ids say little more than 404."""

    @property
    def headers(self) -> dict[str, str]:
        """What each request carries."""
        return {"Authorization": f"Bearer {self.key}"}

    def operations(self) -> list[Any]:
        """Every operation that the key is told of."""
        document = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", self.app, headers=self.headers)
        found = [each.ok() if hasattr(each, "ok") else each.err() for each in document.get_all_operations()]
        broken = [each for each in found if isinstance(each, Exception)]
        if broken:
            raise ExceptionGroup("operations that cannot be read", broken)
        return found

    def surprises(self, operation: Any, examples: int, number: int = 0) -> Iterator[str]:
        """What the operation answers that its document does not say; well-formed requests, then others."""
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            try:
                self._ask(operation, mode, examples, number)
            except FailureGroup as group:
                yield from (f"{mode.value}: {failure}" for failure in group.exceptions)
            except Exception as error:
                if type(error).__name__ != "Unsatisfiable":  # there is no malformed request of this kind
                    yield f"{mode.value}: {type(error).__name__}: {error}"

    def _ask(self, operation: Any, mode: GenerationMode, examples: int, number: int) -> None:
        @seed(number)
        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
            report_multiple_bugs=False,
        )
        @given(case=operation.as_strategy(mode), data=st.data())
        def asked(case: Case[Any], data: st.DataObject) -> None:
            self._aim(case, data)
            rates.forget_counts()
            case.call_and_validate(headers=self.headers, checks=CHECKS)

        asked()

    def _aim(self, case: Case[Any], data: st.DataObject) -> None:
        """Name records that there are, mostly."""
        places = case.path_parameters
        entity = case.operation.path.strip("/").partition("/")[0]
        known = self.records.get(entity)
        if known and isinstance(places, dict) and "id" in places and data.draw(st.integers(0, 3)):
            places["id"] = data.draw(st.sampled_from(list(known)))
            if case.headers is not None and case.method in ("PATCH", "DELETE", "POST"):
                case.headers["If-Match"] = "*"


def some_records(tenant: Tenant, most: int = 4) -> dict[str, list[str]]:
    """A few ids of each entity, those in the bin among them."""
    found = {}
    with tenant.begin() as connection:
        for key, table in tenant.tables.entity.items():
            found[key] = [str(id) for id in connection.execute(sa.select(table.c.id).limit(most)).scalars()]
    return found


def callers_of(tenant: Tenant, role: str) -> dict[str, Caller]:
    """A key of an administrator and one of somebody with the small role alone."""
    app = create_tenant_app(tenant, Settings(var=Path(tempfile.mkdtemp())), None, extensions=(add_api,))
    user, found = tenant.tables.entity["user"], {}
    for name in (ADMINISTRATOR, role):
        with tenant.begin() as connection:
            query = sa.select(user.c.id).where(user.c.roles == [name], user.c.deleted_at.is_(None)).limit(1)
            person = connection.execute(query).scalar_one()
        found[name] = Caller(app, create_key(tenant, person, "fuzz")[1], some_records(tenant))
    return found


def demo_company(catalogue: Catalogue, slug: str) -> Tenant:
    """A demo company with its data, whose small role may use the API, too."""
    role = COMPANIES[slug]
    layers = Workspace(ROOT).layers_for_tenant(slug)
    beside = layer_from_files("fuzz", {"schemas/fuzz.yaml": f"role: {role}\nallow: [reports, api]\n"}, "fuzz")
    provision(catalogue, slug, [*layers, beside], "fuzz", demo=True)
    return catalogue.get(slug)


def main() -> int:
    """Walk the companies."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("companies", nargs="*", default=list(COMPANIES), metavar="COMPANY")
    parser.add_argument("--examples", type=int, default=20, help="requests of each kind to each operation (20)")
    parser.add_argument("--seed", type=int, default=0, help="another number asks other things (0)")
    parser.add_argument("--only", default="", help="operations whose method and path hold this text")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR)
    )  # what breaks shows its trace
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="trellis-fuzz-", ignore_cleanup_errors=True) as folder:
        use_installation_key(Path(folder))
        database = Database.open(None, Path(folder), settings={"fsync": "off", "synchronous_commit": "off"})
        try:
            for slug in options.companies:
                tenant = demo_company(Catalogue(database), slug)
                for name, caller in callers_of(tenant, COMPANIES[slug]).items():
                    wrong += _walk(f"{slug} as {name}", caller, options)
        finally:
            database.close()
    print(f"{wrong} surprises" if wrong else "No surprise.")
    return 1 if wrong else 0


def _walk(title: str, caller: Caller, options: argparse.Namespace) -> int:
    began, wrong = time.monotonic(), 0
    chosen = [o for o in caller.operations() if options.only in f"{o.method.upper()} {o.path}"]
    for operation in chosen:
        name, now = f"{operation.method.upper()} {operation.path}", time.monotonic()
        for text in caller.surprises(operation, options.examples, options.seed):
            wrong += 1
            print(f"\n{title}: {name}\n{text}", flush=True)
        if (spent := time.monotonic() - now) > SLOW:
            print(f"{title}: {name} took {spent:.0f} s", flush=True)
    print(f"{title}: {len(chosen)} operations, {wrong} surprises, {time.monotonic() - began:.0f} s", flush=True)
    return wrong


if __name__ == "__main__":
    sys.exit(main())
