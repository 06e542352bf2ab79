"""Making the demo tenants, also after being interrupted; people from the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.web.frame_tenants import YAML, app_of, sign_in

from trellis.cli import command_modules, main
from trellis.config.workspace import Workspace
from trellis.packaging.provision import DEMO_PASSWORD, is_demo, logins, provision_demo
from trellis.storage.secrets import use_installation_key

ACCOUNTS = "name,owner\nAcme,rita@x.example\n江南商贸,\n"
PEOPLE = "name,email,roles\nRita Rep,rita@x.example,rep\nAnna,anna@x.example,admin\n"


@pytest.fixture
def workspace(tmp_path: Path, catalogue: Any) -> Iterator[Workspace]:
    use_installation_key(tmp_path)
    folder = tmp_path / "tenants" / "demo-shop"
    (folder / "schemas").mkdir(parents=True)
    (folder / "data" / "demo").mkdir(parents=True)
    (folder / "tenant.yaml").write_text("tenant: demo-shop\nlabel: Demo shop\n")
    (folder / "schemas" / "all.yaml").write_text(YAML)
    (folder / "data" / "demo" / "user.csv").write_text(PEOPLE)
    (folder / "data" / "demo" / "account.csv").write_text(ACCOUNTS)
    yield Workspace(tmp_path)
    if any(entry.slug == "demo-shop" for entry in catalogue.list()):
        catalogue.drop("demo-shop")


def test_a_demo_tenant_has_its_data_and_people_who_can_sign_in(
    workspace: Workspace, catalogue: Any, tmp_path: Path
) -> None:
    assert provision_demo(catalogue, workspace, "demo-shop") == []
    assert is_demo(catalogue, "demo-shop")
    tenant = catalogue.get("demo-shop")
    assert {login.email for login in logins(tenant)} == {"rita@x.example", "anna@x.example"}
    client = app_of(tenant, tmp_path).test_client()
    assert sign_in(client, "rita@x.example", DEMO_PASSWORD).status_code == 302
    assert "Acme" in client.get("/").text


def test_what_is_there_is_left_alone(workspace: Workspace, catalogue: Any) -> None:
    provision_demo(catalogue, workspace, "demo-shop")
    before = catalogue.entry("demo-shop").created_at
    provision_demo(catalogue, workspace, "demo-shop")
    assert catalogue.entry("demo-shop").created_at == before


def test_an_interrupted_tenant_is_closed_and_made_anew(workspace: Workspace, catalogue: Any, monkeypatch: Any) -> None:
    from trellis.packaging import provision

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(provision, "load_layers", killed)
    with pytest.raises(KeyboardInterrupt):
        provision_demo(catalogue, workspace, "demo-shop")
    assert catalogue.entry("demo-shop").status == "provisioning"

    monkeypatch.undo()
    assert provision_demo(catalogue, workspace, "demo-shop") == []
    assert catalogue.entry("demo-shop").status == "active"
    assert len(logins(catalogue.get("demo-shop"))) == 2


def test_people_from_the_command_line(make_tenant: Any, database: Any, tmp_path: Path) -> None:
    tenant = make_tenant(YAML)
    url = database.url.render_as_string(hide_password=False)
    environment = {"DATABASE_URL": url, "TRELLIS_VAR": str(tmp_path)}

    def trellis(*words: str) -> Any:
        return CliRunner().invoke(main, ["user", *words, "--tenant", tenant.slug], env=environment)

    made = trellis("create", "nina@x.example", "--name", "Nina", "--role", "rep", "--password", "a few words in a row")
    assert made.exit_code == 0, made.output
    assert "nina@x.example" in trellis("list").output
    assert sign_in(app_of(tenant, tmp_path).test_client(), "nina@x.example", "a few words in a row").status_code == 302
    assert trellis("password", "nina@x.example", "--password", "other words in a row").exit_code == 0
    assert sign_in(app_of(tenant, tmp_path).test_client(), "nina@x.example", "other words in a row").status_code == 302
    assert f"/t/{tenant.slug}/reset/" in trellis("password", "nina@x.example", "--link").output
    invited = trellis("create", "olaf@x.example", "--name", "Olaf", "--role", "rep").output
    assert f"/t/{tenant.slug}/invite/" in invited
    assert "TRELLIS_URL" in invited
    environment["TRELLIS_URL"] = "https://crm.example"
    assert f"https://crm.example/t/{tenant.slug}/invite/" in trellis("invite", "olaf@x.example").output
    assert trellis("create", "weak@x.example", "--name", "Weak", "--password", "password123").exit_code == 1
    for words in (
        ("create", "x@x.example", "--name", "X", "--role", "nope"),
        ("invite", "nobody@x.example"),
        ("password", "nobody@x.example", "--link"),
        ("create", "nina@x.example", "--name", "Again"),
    ):
        refused = trellis(*words)
        assert refused.exit_code == 1, words
        assert "Traceback" not in refused.output


def test_help_imports_no_command() -> None:
    import subprocess
    import sys

    heavy = ("flask", "sqlalchemy", "yaml")
    code = (
        "import sys; from trellis.cli import main; main(['--help'], standalone_mode=False);"
        f" sys.exit(any(name in sys.modules for name in {heavy}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env={"PYTHONPATH": "platform"}
    )
    assert done.returncode == 0, done.stderr
    assert "user" in done.stdout
    assert {"run", "serve", "user"} <= set(command_modules())
