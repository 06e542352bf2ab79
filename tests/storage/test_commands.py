"""trellis plan, apply, tenant, doctor."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from tests.conftest import SAMPLE

from trellis.cli import main


@pytest.fixture
def trellis(database, tmp_path, monkeypatch, catalogue):
    """Run a command in a workspace of its own that has the tenant `acme`, and return (exit code, output)."""
    monkeypatch.setenv("DATABASE_URL", database.url.render_as_string(hide_password=False))
    monkeypatch.setenv("TRELLIS_ROOT", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    write(tmp_path, SAMPLE)

    def run(*words, input=None):
        result = CliRunner().invoke(main, words, input=input, catch_exceptions=False)
        return result.exit_code, result.output

    yield run
    for entry in catalogue.list():
        if entry.slug in ("acme", "acme-copy"):
            catalogue.drop(entry.slug)


def write(root, text):
    """Write the tenant's own layer."""
    folder = root / "tenants" / "acme"
    (folder / "schemas").mkdir(parents=True, exist_ok=True)
    (folder / "tenant.yaml").write_text("tenant: acme\nlabel: Acme\n")
    (folder / "schemas" / "all.yaml").write_text(text)


def test_the_life_of_a_tenant(trellis, tmp_path):
    assert trellis("tenant", "create", "acme")[0] == 0
    assert "acme" in trellis("tenant", "list")[1]
    assert "nothing changes" in trellis("plan", "acme")[1]

    write(tmp_path, SAMPLE.replace("vip: {type: boolean}", "fax: {type: text}"))
    code, output = trellis("plan", "acme", "--sql")
    assert code == 0
    assert 'ADD COLUMN "fax"' in output
    assert "--allow-destroy" in output
    code, output = trellis("apply", "acme", "--yes")
    assert (code, "fax" in output) == (1, True)
    code, output = trellis("apply", "acme", "--allow-destroy", "--why", "fax is back", input="y\n")
    assert (code, "revision 2" in output) == (0, True)

    code, output = trellis("apply", "acme", "--revision", "1", "--allow-destroy", "--yes")
    assert (code, "revision 3" in output) == (0, True)
    shown = trellis("tenant", "show", "acme")[1]
    assert "fax is back" in shown
    assert "Back to revision 1" in shown

    trellis("tenant", "suspend", "acme")
    assert "suspended" in trellis("tenant", "show", "acme")[1]
    trellis("tenant", "resume", "acme")

    assert trellis("tenant", "backup", "acme", "acme.zip")[0] == 0
    assert trellis("tenant", "restore", "acme.zip")[0] == 1
    code, output = trellis("tenant", "restore", "acme.zip", "--as", "acme-copy")
    assert (code, "/t/acme-copy/" in output) == (0, True)

    assert trellis("tenant", "drop", "acme", input="wrong\n")[0] == 1
    assert trellis("tenant", "drop", "acme", input="acme\n")[0] == 0
    assert "there is no tenant acme" in trellis("plan", "acme")[1]


def test_a_broken_configuration_changes_nothing(trellis, tmp_path):
    trellis("tenant", "create", "acme")
    write(tmp_path, SAMPLE.replace("type: boolean", "type: bolean"))
    code, output = trellis("apply", "acme", "--yes")
    assert code == 1
    assert "tenants/acme/schemas/all.yaml:8:" in output
    assert "boolean" in output
    assert "revision 1" in trellis("tenant", "show", "acme")[1]


def test_plan_for_programs(trellis, tmp_path):
    trellis("tenant", "create", "acme")
    write(tmp_path, SAMPLE.replace("vip: {type: boolean}", "vip: {type: boolean}\n  fax: {type: text}"))
    planned = json.loads(trellis("plan", "acme", "--format", "json")[1])
    assert (planned["destroys"], planned["failing"]) == (False, 0)
    assert [s["kind"] for s in planned["steps"]] == ["add_column"]


def test_an_unknown_tenant_gets_a_hint(trellis):
    trellis("tenant", "create", "acme")
    code, output = trellis("plan", "acne")
    assert code == 1
    assert "did you mean 'acme'?" in output


def test_the_doctor_finds_what_is_wrong_and_apply_mends_it(trellis, database):
    trellis("tenant", "create", "acme")
    findings = {(f["check"], f["level"]): f for f in json.loads(trellis("doctor", "--format", "json")[1])}
    assert ("Database", "wrong") not in findings
    with database.engine.begin() as connection:
        connection.exec_driver_sql('ALTER TABLE "t_acme".account DROP COLUMN vip')
        connection.exec_driver_sql('REVOKE INSERT ON "t_acme".deal FROM PUBLIC, "trellis:trellis:acme"')
    code, output = trellis("doctor")
    assert code == 1
    assert "Add the column account.vip" in output
    assert "the rights on deal" in output
    assert trellis("apply", "acme", "--live", "--yes")[0] == 0
    assert "acme: revision 2, active" in trellis("doctor")[1]
