"""Compiling a configuration: core, template and tenant; and the same again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bench.registry import Result, measure
from bench.timing import seconds_of
from trellis.config.workspace import Workspace
from trellis.model.compile import compile_layers

if TYPE_CHECKING:
    from bench.setting import Bench


@measure("compile")
def compiling(bench: Bench) -> Iterator[Result]:
    """The first demo tenant, in a process that has compiled something else before."""
    from bench.setting import ROOT

    workspace = Workspace(ROOT)
    for slug in workspace.tenants()[:1]:
        layers = workspace.layers_for_tenant(slug)
        first = seconds_of(lambda: compile_layers(layers))  # noqa: B023 - run at once
        again = seconds_of(lambda: compile_layers(workspace.layers_for_tenant(slug)))  # noqa: B023
        model = compile_layers(layers).model
        size = f"{len(model.entities)} entities" if model is not None else "broken"
        yield Result("compiling core, template and tenant", first, unit="s", note=size)
        yield Result("the same content again", again * 1000, note="reading the files included")
