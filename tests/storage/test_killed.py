"""SIGKILL while a tenant is changed or made: the next start is sound, and nothing half-done is visible."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.conftest import SAMPLE
from tests.storage.test_commands import trellis, write  # noqa: F401 - a fixture
from tests.web.frame_tenants import YAML
from tests.web.test_frame_dispatcher import Keeping
from werkzeug.test import Client

from trellis.config.workspace import Workspace
from trellis.packaging.provision import logins, provision_demo
from trellis.storage.followups import pending
from trellis.web.dispatcher import Dispatcher
from trellis.web.settings import Settings

ROOT = Path(__file__).parents[2]
# the process kills itself as it comes to a function: the moment is exact, and nothing of it runs any more
PROGRAM = """
import os, signal, sys
sys.path.insert(0, {platform!r})
from trellis.cli import main
import {module} as module
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
module.{function} = die
main(sys.argv[1:])
"""
LOCKS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"


def killed(module, function, *words):
    """Run a command that is killed when it comes to a function."""
    code = PROGRAM.format(platform=str(ROOT / "platform"), module=module, function=function)
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == -9, done.stdout + done.stderr


def no_locks(database):
    """Whether every lock of a killed process is gone, soon."""
    for _ in range(100):
        with database.engine.begin() as connection:
            if connection.exec_driver_sql(LOCKS).scalar() == 0:
                return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    ("module", "function", "revision"),
    [
        ("trellis.storage.apply", "_record", 1),  # every table is changed, nothing is committed
        ("trellis.storage.apply", "_finish", 2),  # committed; indexes and old records are still to be done
    ],
)
def test_killed_while_applying(trellis, catalogue, database, tmp_path, module, function, revision):  # noqa: F811
    assert trellis("tenant", "create", "acme")[0] == 0
    with catalogue.get("acme").begin() as connection:
        connection.exec_driver_sql("INSERT INTO account (id, name) VALUES (gen_random_uuid(), 'Acme')")
    write(tmp_path, SAMPLE.replace("vip: {type: boolean}", "fax: {type: text, search: true}\n  n: {type: integer}"))
    killed(module, function, "apply", "acme", "--allow-destroy", "--yes")
    assert no_locks(database)
    tenant = catalogue.get("acme")
    assert tenant.revision == revision
    assert ("fax" in tenant.model.entities["account"].fields) == (revision == 2)
    assert "nothing changes" in trellis("plan", "acme", "--live")[1]
    assert ("still at work" in trellis("plan", "acme")[1]) == (revision == 2)
    code, output = trellis("apply", "acme", "--allow-destroy", "--yes")
    assert code == 0, output
    assert catalogue.get("acme").revision == 2
    assert pending(catalogue) == {}
    with catalogue.get("acme").begin() as connection:
        assert connection.exec_driver_sql("SELECT search::text FROM account").scalar() == "'acme'"


@pytest.mark.parametrize("function", ["load_layers", "give_passwords"])
def test_killed_while_a_demo_is_made(catalogue, database, tmp_path, monkeypatch, function):
    monkeypatch.setenv("DATABASE_URL", database.url.render_as_string(hide_password=False))
    monkeypatch.setenv("TRELLIS_VAR", str(tmp_path / "var"))
    folder = tmp_path / "tenants" / "demo-shop"
    (folder / "schemas").mkdir(parents=True)
    (folder / "data" / "demo").mkdir(parents=True)
    (folder / "tenant.yaml").write_text("tenant: demo-shop\nlabel: Demo shop\n")
    (folder / "schemas" / "all.yaml").write_text(YAML)
    (folder / "data" / "demo" / "user.csv").write_text("name,email,roles\nAnna,anna@x.example,admin\n")
    node = Dispatcher(Keeping(database), Settings(var=tmp_path / "var"))
    try:
        killed("trellis.packaging.provision", function, "run", "--root", str(tmp_path), "--port", "18419")
        assert no_locks(database)
        assert catalogue.entry("demo-shop").status == "provisioning"
        assert "Demo shop" not in Client(node).get("/").text
        assert Client(node).get("/t/demo-shop/login").status_code == 503
        assert provision_demo(catalogue, Workspace(tmp_path), "demo-shop") == []
        assert catalogue.entry("demo-shop").status == "active"
        assert [login.email for login in logins(catalogue.get("demo-shop"))] == ["anna@x.example"]
    finally:
        node.close()
        if any(entry.slug == "demo-shop" for entry in catalogue.list()):
            catalogue.drop("demo-shop")
