"""Fixtures for every part: one embedded PostgreSQL for the whole run, and tenants in it."""

from __future__ import annotations

import contextlib
import gc
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
import structlog
from tests.again import Again
from werkzeug.security import generate_password_hash

from trellis.config.layer import Layer, layer_from_files
from trellis.identity import accounts
from trellis.model.compile import compiled
from trellis.model.model import Model
from trellis.model.profile import TenantProfile
from trellis.records.reading import remembered
from trellis.storage import tables
from trellis.storage.catalogue import Catalogue
from trellis.storage.database import Database
from trellis.storage.tenant import Tenant
from trellis.web.reading_log import flush

if TYPE_CHECKING:
    from tests.automation.mail.mailbox import Mailbox

    MakeTenant = Callable[..., Tenant]

# a test database may lose its data when the machine falls over: it is faster for that
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
}
# a tenant is some five hundred files: where there is memory enough, they are made in it, in half the time
MEMORY = Path("/dev/shm")
ENOUGH = 3 << 30  # for one worker and its server
LEFT = "trellis-test-of-"  # and the process whose it is

SAMPLE = """
entity: account
label: Account
fields:
  name: {type: text, required: true, search: true}
  industry: {type: choice, choices: [retail, food, other]}
  employees: {type: integer}
  vip: {type: boolean}
---
entity: contact
label: Contact
fields:
  name: {type: text, required: true, search: true}
  account: {type: link, to: account, inverse: contacts}
  born: {type: date}
---
entity: deal
label: Deal
fields:
  name: {type: text, required: true, search: true}
  account: {type: link, to: account, required: true, inverse: deals}
  contacts: {type: links, to: contact, inverse: deals}
  amount: {type: money, min: 0}
  discount: {type: percent}
  close_date: {type: date}
"""

HERE = Path(__file__).parent
LONGEST = (
    "web/test_accessible.py",
    "security/test_demo_roles.py",
    "packaging/test_scenarios.py",
    "reports/test_shipped.py",
    "automation/workflows/test_runs_killed.py",
    "security/test_pages.py",
    "web/test_lighthouse.py",
    "security/test_operations.py",
    "records/transfer/test_templates.py",
    "docs/test_yaml_blocks.py",
    "api/test_conformance.py",
    "storage/test_plan.py",
    "storage/test_killed.py",
    "storage/test_embedded.py",
    "web/test_nodes.py",
    "records/test_derived.py",
    "storage/test_commands.py",
    "docs/test_reports_page.py",
    "records/transfer/test_cdnow.py",
    "records/test_derived_levels.py",
    "automation/test_killed.py",
    "packaging/test_upgrade.py",
    "storage/test_apply.py",
)

_numbers = itertools.count(1)

# what is imported stays: no collection needs to look at it; and tests make more rubbish at once than a server does
gc.freeze()
gc.set_threshold(50_000, 20, 8)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, so that no worker is left alone with one at the end."""
    turn = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: turn.get(item.path.relative_to(HERE).as_posix(), len(turn)))


@pytest.fixture(scope="session", autouse=True)
def small_caches() -> None:
    """Hardly a test compiles what another one has: what is kept of those before only takes memory."""
    compiled.CACHE_SIZE, tables.KEPT = 24, 12


@pytest.fixture(scope="session", autouse=True)
def cheap_hashes() -> None:
    """A password's hash is made to be slow, and a run makes and checks a thousand; identity/test_accounts.py holds
    what the product takes."""
    accounts.generate_password_hash = partial(generate_password_hash, method="scrypt:512:8:1")


@pytest.fixture(scope="session", autouse=True)
def logs() -> None:
    """What is logged looks as it does in a server; without this, a traceback brings every value along, for seconds."""
    structlog.configure(processors=[structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)])


@pytest.fixture(scope="session", autouse=True)
def nothing_is_slow() -> None:
    """A busy machine makes no report slow, so that no test finds a job to watch its tables."""
    remembered.SLOW = float("inf")


@pytest.fixture(scope="session")
def database() -> Iterator[Database]:
    """One PostgreSQL for the run, in a folder that goes away with it.

    Not in pytest's own temporary folder: run by root, the server is another user's, and pytest closes that folder to
    others whenever it starts.
    """
    wanted = ENOUGH * int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    roomy = MEMORY.is_dir() and min(shutil.disk_usage(MEMORY).free, psutil.virtual_memory().available) > wanted
    place = MEMORY if roomy else None
    for left in MEMORY.glob(f"{LEFT}*"):  # of runs that were killed: it would take memory until the machine is off
        if not psutil.pid_exists(int(left.name.split("-")[3])):
            end_server(left / "postgres")
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"{LEFT}{os.getpid()}-", dir=place, ignore_cleanup_errors=True) as folder:
        opened = Database.open(None, Path(folder), settings=FAST)
        try:
            yield opened
        finally:
            opened.close()


def end_server(folder: Path) -> None:
    """End the server of a data directory, if there is one."""
    with contextlib.suppress(OSError, ValueError, IndexError, psutil.Error):
        server = psutil.Process(int((folder / "postmaster.pid").read_text().splitlines()[0]))
        if server.name() == "postgres" and Path(server.cwd()) == folder:
            server.kill()
            server.wait(5)


@pytest.fixture(scope="session")
def catalogue(database: Database) -> Catalogue:
    """The catalogue of the run's database."""
    return Catalogue(database)


@pytest.fixture
def make_tenant(catalogue: Catalogue) -> Iterator[MakeTenant]:
    """Make tenants of YAML text, of layers, or of a Model made by hand; they are dropped after the test.

    `make_tenant("entity: …")`, `make_tenant(layers=[…])`, `make_tenant(model=Model(…))`; `slug`, `profile`
    (tenant.yaml's properties) and `core=True` (the text goes on top of the repository's core layer) as wanted.
    """
    made: list[str] = []

    def make(
        text: str | Mapping[str, str] = "",
        *,
        layers: Sequence[Layer] | None = None,
        model: Model | None = None,
        slug: str | None = None,
        profile: str = "",
        core: bool = False,
    ) -> Tenant:
        slug = slug or f"test-{next(_numbers)}"
        if model is not None:
            tenant = catalogue.create_compiled(slug, [], model, TenantProfile(slug, slug.title()), "test")
        else:
            tenant = catalogue.create(slug, layers or layers_of(text, slug, profile=profile, core=core), "test")
        made.append(slug)
        return replace(tenant)

    yield make
    flush()
    for slug in made:
        catalogue.drop(slug)


@pytest.fixture(scope="session")
def kept_tenants() -> dict[tuple[object, ...], Again]:
    """The tenants that are used again, by what they are made of."""
    return {}


@pytest.fixture
def same_tenant(catalogue: Catalogue, kept_tenants: dict[tuple[object, ...], Again]) -> Iterator[MakeTenant]:
    """As make_tenant with a text, for tests that change records only: the next test with the same text gets the same
    tenant, as it was when it was made. (A test that publishes something gets a new one, too.)"""
    used: list[tuple[object, ...]] = []

    def make(text: str = "", *, profile: str = "", core: bool = False) -> Tenant:
        key = (text, profile, core, len(used))
        if key not in kept_tenants:
            slug = f"again-{next(_numbers)}"
            made = catalogue.create(slug, layers_of(text, slug, profile=profile, core=core), "test")
            kept_tenants[key] = Again(catalogue, made)
        used.append(key)
        return replace(kept_tenants[key].tenant)

    yield make
    flush()
    for key in used:
        if not kept_tenants[key].take_back():
            catalogue.drop(kept_tenants.pop(key).tenant.slug)


@pytest.fixture(scope="module")
def smtp() -> Iterator[Mailbox]:
    """A mail server on loopback, for the tests of a module."""
    from tests.automation.mail.mailbox import mail_server

    with mail_server() as mailbox:
        yield mailbox


@pytest.fixture
def tenant(make_tenant: MakeTenant) -> Tenant:
    """A tenant of the small sample: account, contact, deal."""
    return make_tenant(SAMPLE)


def layers_of(
    text: str | Mapping[str, str], slug: str = "test", *, profile: str = "", core: bool = False
) -> list[Layer]:
    """Layers of YAML text: the text is a tenant's own layer, alone or on top of the core."""
    files = dict(text) if isinstance(text, Mapping) else {"schemas/test.yaml": text}
    files.setdefault("tenant.yaml", f"tenant: {slug}\nlabel: {slug.title()}\n{profile}")
    own = layer_from_files(slug, files, f"tenants/{slug}")
    if not core:
        return [own]
    from trellis.config.layer import read_layer

    return [read_layer(Path(__file__).parent.parent, "core"), own]
