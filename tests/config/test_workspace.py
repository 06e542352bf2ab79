"""Which layers belong to a path."""

from __future__ import annotations

from pathlib import Path

import pytest

from trellis.config.workspace import HERE, Workspace, find_root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    files = {
        "schemas/deal.yaml": "entity: deal\n",
        "templates/base/template.yaml": "template: base\nversion: 1.0.0\n",
        "templates/retail/template.yaml": "template: retail\nversion: 1.0.0\nbuilds_on: base\n",
        "templates/retail/schemas/member.yaml": "entity: member\n",
        "tenants/acme/tenant.yaml": "tenant: acme\ntemplate: retail ^1.0\n",
        "loose/a.yaml": "entity: x\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("path", "names"),
    [
        (".", ["core"]),
        ("schemas", ["core"]),
        ("schemas/deal.yaml", ["core"]),
        ("templates/retail", ["core", "templates/base", "templates/retail"]),
        ("templates/retail/schemas/member.yaml", ["core", "templates/base", "templates/retail"]),
        ("tenants/acme", ["core", "templates/base", "templates/retail", "tenants/acme"]),
    ],
)
def test_layers_of_a_path(root: Path, path: str, names: list[str]) -> None:
    assert [layer.name for layer in Workspace(root).layers_for_path(root / path)] == names


def test_layers_of_a_tenant(root: Path) -> None:
    workspace = Workspace(root)
    assert [layer.name for layer in workspace.layers_for_tenant("acme")][-1] == "tenants/acme"
    assert (workspace.templates(), workspace.tenants()) == (["base", "retail"], ["acme"])


def test_the_root_is_found_from_inside(root: Path) -> None:
    assert find_root(root / "templates" / "retail" / "schemas") == root


def test_same_content_has_the_same_digest(root: Path) -> None:
    first, second = Workspace(root).core(), Workspace(root).core()
    assert first.digest == second.digest
    (root / "schemas" / "deal.yaml").write_text("entity: deal\nlabel: X\n", "utf-8")
    assert Workspace(root).core().digest != first.digest


def test_a_folder_of_templates_gives_each_with_what_is_below_it(root: Path) -> None:
    workspace = Workspace(root)
    several = [[layer.name for layer in stack] for stack in workspace.stacks_for_path(root / "templates")]
    assert several == [["core", "templates/base"], ["core", "templates/base", "templates/retail"]]
    assert len(workspace.stacks_for_path(root)) == 1


def test_templates_without_a_core_beside_them_stand_on_the_one_that_trellis_brings(root: Path) -> None:
    alone = root / "alone"
    alone.mkdir()
    (root / "templates").rename(alone / "templates")
    (root / "schemas").rename(root / "no-core")
    assert find_root(alone) == HERE
    stacks = Workspace(find_root(alone)).stacks_for_path(alone)
    assert [[layer.name for layer in stack][1:] for stack in stacks] == [
        ["templates/base"],
        ["templates/base", "templates/retail"],
    ]
