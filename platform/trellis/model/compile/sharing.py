"""Tenants that differ in nothing but their manifests share one Model; the profile is what each has of its own."""

from __future__ import annotations

from collections.abc import Sequence

from trellis.config.layer import Document, Layer, read_documents
from trellis.config.problem import Problem
from trellis.config.stack import Configuration, stack
from trellis.model.compile.context import Context
from trellis.model.compile.shapes import check_document
from trellis.model.compile.tenants import compile_profile
from trellis.model.model import Model
from trellis.model.profile import TenantProfile

MANIFEST = "tenant.yaml"
SHAPING = frozenset({"builds_on", "languages", "locked", "replace", "without"})  # what reaches beyond the profile


def has_plain_manifest(layers: Sequence[Layer]) -> bool:
    """Whether the topmost layer is a tenant's manifest alone, and one that leaves the layers below as they are."""
    if len(layers) < 2 or set(layers[-1].files) != {MANIFEST}:
        return False
    reading = read_documents(layers[-1])
    kinds = [document.kind for document in reading.documents]
    return kinds == ["tenant"] and not reading.problems and not SHAPING & set(reading.documents[0].data)


def profile_upon(
    model: Model, below: Configuration, layers: Sequence[Layer]
) -> tuple[TenantProfile | None, Configuration, list[Problem]]:
    """The profile of another manifest upon a configuration that is known, with what is wrong with the manifest."""
    own = stack(layers[-1:])
    old = {layer.display(MANIFEST) for layer in below.layers[-1:]}
    configuration = Configuration(
        tuple(layers),
        {**below.documents, "tenant": own.documents["tenant"]},
        below.tests,
        below.translations,
        [p for p in below.problems if not _is_in(p, old)] + own.problems,
        {name: source for name, source in below.sources.items() if name not in old} | own.sources,
    )
    ctx = Context(configuration, settings=dict(model.settings))
    manifests: list[Document] = list(own.documents["tenant"].values())
    ctx.problems += [problem for document in manifests for problem in check_document(document)]
    return compile_profile(ctx), configuration, [*own.problems, *ctx.problems]


def told_below(problems: Sequence[Problem], layers: Sequence[Layer]) -> list[Problem]:
    """The problems that are not the manifest's own."""
    old = {layer.display(MANIFEST) for layer in layers[-1:]}
    return [p for p in problems if not _is_in(p, old)]


def _is_in(problem: Problem, files: set[str]) -> bool:
    return problem.mark is not None and problem.mark.file in files
