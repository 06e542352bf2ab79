"""The scenarios that ship hold: of the core, the templates, and the gallery of automations."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.docs.test_yaml_blocks import layers_of

import trellis.identity  # noqa: F401 - roles follow whatever is applied
from trellis.cli._kinds import import_kinds
from trellis.config.layer import Layer
from trellis.config.workspace import Workspace
from trellis.packaging.scenarios.playing import play_all
from trellis.storage.catalogue import Catalogue

ROOT = Path(__file__).parents[2]
WORKSPACE = Workspace(ROOT)
TENANTS = [name for name in WORKSPACE.tenants() if (ROOT / "tenants" / name / "tests").is_dir()]
LAYERS = {
    ".": 20,
    **{f"templates/{name}": 15 for name in WORKSPACE.templates()},
    **{f"tenants/{name}": 1 for name in TENANTS},
}


def failures(catalogue: Catalogue, layers: Sequence[Layer], least: int) -> list[str]:
    import_kinds()
    played = list(play_all(catalogue, layers))
    assert len(played) >= least
    return [f"{one.scenario.key}: {finding}" for one in played for finding in one.findings]


@pytest.mark.parametrize("path", LAYERS)
def test_a_layers_scenarios_hold(catalogue: Catalogue, path: str) -> None:
    assert failures(catalogue, WORKSPACE.layers_for_path(ROOT / path), LAYERS[path]) == []


def test_the_gallerys_scenarios_hold(catalogue: Catalogue) -> None:
    assert failures(catalogue, layers_of("automation-gallery.md"), 20) == []
