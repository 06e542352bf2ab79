"""What apply promises while others work, and when it is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.storage.models import entity, field, model_of, small_model

from trellis.storage import apply as applying
from trellis.storage.apply import apply
from trellis.storage.hooks import after_apply
from trellis.storage.plan import plan_compiled

ROOT = Path(__file__).parents[2]

APPLY_AND_HANG = """
import sys, time
from pathlib import Path
from tests.storage.models import entity, field, model_of, small_model
from trellis.model.profile import TenantProfile
from trellis.storage.apply import apply
from trellis.storage.catalogue import Catalogue
from trellis.storage.database import Database
from trellis.storage.hooks import after_apply
from trellis.storage.plan import plan_compiled

def hang(connection, new, old):
    print("everything is done but the commit", flush=True)
    time.sleep(60)

after_apply.append(hang)
catalogue = Catalogue(Database.open(sys.argv[1], Path()))
entry = catalogue.entry(sys.argv[2])
profile = TenantProfile(entry.slug, entry.label)
model = small_model()
tenant = catalogue.tenant(entry, model, profile)
wider = model_of(*model.entities.values(), entity("extra", field("name")))
apply(catalogue, plan_compiled(tenant, [], wider, profile), "test")
"""


@pytest.fixture
def wider(make_tenant):
    """A tenant, and a Model with one more entity and one more field."""
    tenant = make_tenant(model=small_model())
    account = tenant.model.entities["account"]
    more = entity("account", *account.fields.values(), field("fax", index=True))
    return tenant, model_of(more, tenant.model.entities["order"], entity("extra", field("name")))


def test_a_kill_in_the_middle_leaves_the_earlier_state(make_tenant, catalogue, database):
    tenant = make_tenant(model=small_model())
    address = database.url.render_as_string(hide_password=False)
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}"}
    command = [sys.executable, "-c", APPLY_AND_HANG, address, tenant.slug]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as other:
        assert other.stdout.readline().startswith("everything")
        other.send_signal(signal.SIGKILL)
        other.wait()
    assert catalogue.entry(tenant.slug).revision == 1
    model = model_of(*tenant.model.entities.values(), entity("extra", field("name")))
    planned = plan_compiled(tenant, [], model, tenant.profile)
    assert [s.kind for s in planned.steps] == ["create_table"]
    assert apply(catalogue, planned, "test").revision == 2


def test_apply_waits_for_a_busy_table_without_holding_others_up(wider, catalogue, monkeypatch):
    tenant, model = wider
    monkeypatch.setattr(applying, "LOCK_TIMEOUT", "100ms")
    planned = plan_compiled(tenant, [], model, tenant.profile)
    read = []
    reading = threading.Event()

    def read_all_along():
        with tenant.begin() as busy:
            busy.exec_driver_sql("SELECT * FROM account")
            reading.set()
            for _ in range(10):
                with tenant.begin() as connection:  # would wait for ever behind a lock that waits for `busy`
                    connection.exec_driver_sql("SELECT * FROM account")
                read.append(True)
                time.sleep(0.05)

    reader = threading.Thread(target=read_all_along)
    reader.start()
    assert reading.wait(5)
    applied = apply(catalogue, planned, "test")
    reader.join()
    assert applied.revision == 2
    assert len(read) == 10


def test_what_a_hook_refuses_is_not_applied(wider, catalogue, monkeypatch):
    tenant, model = wider

    def refuse(connection, new, old):
        raise RuntimeError("no")

    monkeypatch.setattr("trellis.storage.apply.after_apply", [*after_apply, refuse])
    with pytest.raises(RuntimeError, match="no"):
        apply(catalogue, plan_compiled(tenant, [], model, tenant.profile), "test")
    assert catalogue.entry(tenant.slug).revision == 1
    assert plan_compiled(tenant, [], tenant.model, tenant.profile).is_empty


def test_indexes_on_big_tables_are_built_afterwards(wider, catalogue, monkeypatch):
    tenant, model = wider
    monkeypatch.setattr("trellis.storage.live.BIG", -1)
    planned = plan_compiled(tenant, [], model, tenant.profile)
    assert next(s.later for s in planned.steps if s.kind == "add_index")[0].startswith("CREATE INDEX CONCURRENTLY")
    new = apply(catalogue, planned, "test")
    assert plan_compiled(new, [], model, new.profile).is_empty


def test_an_index_that_was_left_unfinished_is_built_again(wider, catalogue, database):
    tenant, _ = wider
    name = next(i.name for i in tenant.tables.entity["account"].indexes if "number" in i.name)
    with database.engine.begin() as connection:
        connection.exec_driver_sql(
            f'UPDATE pg_index SET indisvalid = false WHERE indexrelid = \'"{tenant.schema}"."{name}"\'::regclass'
        )
    planned = plan_compiled(tenant, [], tenant.model, tenant.profile)
    assert [s.kind for s in planned.steps] == ["drop_index", "add_index"]
    new = apply(catalogue, planned, "test")
    assert plan_compiled(new, [], new.model, new.profile).is_empty
