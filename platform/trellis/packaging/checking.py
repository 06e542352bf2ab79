"""`trellis template check`: everything that `trellis check` finds, the packaging rules, and whether the data load."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trellis.config.layer import Layer, read_layer
from trellis.config.problem import Mark, Problem
from trellis.model.compile import compile_layers
from trellis.packaging.contents import Contents, contents
from trellis.packaging.manifest import manifest
from trellis.packaging.provision import load_layers
from trellis.packaging.rules import Subject, check_template
from trellis.records.transfer.mapping import BadMapping

if TYPE_CHECKING:
    from trellis.config.source import Source
    from trellis.config.workspace import Workspace
    from trellis.storage.catalogue import Catalogue


@dataclass(frozen=True)
class Checked:
    """What a check of a template found, and what it was found in."""

    layers: Sequence[Layer]
    contents: Contents
    problems: tuple[Problem, ...]
    sources: dict[str, Source]

    @property
    def is_sound(self) -> bool:
        """Without errors; advice may be there."""
        return not any(problem.is_error for problem in self.problems)


def check_folder(workspace: Workspace, folder: Path) -> Checked:
    """Check a template's folder without a database. Raises Unpackable and NoTemplate."""
    layer = read_layer(folder, f"templates/{folder.resolve().name}")
    found = contents(folder)
    manifest(layer)
    layers = workspace.layers_for(layer)
    compiled = compile_layers(layers)
    problems = dict.fromkeys(compiled.problems)
    if compiled.is_sound:
        problems |= dict.fromkeys(check_template(Subject(layers, compiled, found)))
    return Checked(layers, found, tuple(problems), dict(compiled.sources))


def check_data(catalogue: Catalogue, checked: Checked, slug: str = "template-check") -> list[Problem]:
    """Load seed and demo data into a tenant that is thrown away; what could not be loaded (E334)."""
    own = _manifest_for(checked.layers[-1], slug)
    layers = [*checked.layers, own]
    tenant = catalogue.create(slug, layers, "trellis", why="Check of a template", status="provisioning")
    mark = Mark(checked.layers[-1].display("template.yaml"), 1, 1, checked.layers[-1].name)
    try:
        failures = load_layers(tenant, layers, ("seed", "demo"))
    except BadMapping as bad:
        failures = list(bad.problems)
    finally:
        catalogue.drop(slug)
    return [Problem("E334", failure, mark) for failure in failures]


def _manifest_for(template: Layer, slug: str) -> Layer:
    text = f"tenant: {slug}\ntemplate: {manifest(template).name}\n"
    return Layer(slug, {"tenant.yaml": text}, f"tenants/{slug}")
