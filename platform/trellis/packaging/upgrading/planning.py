"""What going to another version of its template means for one tenant, found out without changing anything."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from trellis.config.versions import newest, order, satisfies
from trellis.config.workspace import manifest_of
from trellis.model.compile.compiled import compile_draft
from trellis.packaging.manifest import manifest
from trellis.packaging.requirements import unmet
from trellis.packaging.upgrading.compare import Change, compare
from trellis.packaging.upgrading.mending import Mend, Splice, _splice, mend
from trellis.packaging.upgrading.touching import Touch, touches
from trellis.storage.plan import Plan, plan_compiled

if TYPE_CHECKING:
    from trellis.config.layer import Layer
    from trellis.config.problem import Problem
    from trellis.config.source import Source
    from trellis.config.workspace import Workspace
    from trellis.storage.catalogue import Catalogue
    from trellis.storage.tenant import Tenant

Outcome = Literal["nothing", "ready", "conflict", "rows", "destroys"]


class NoUpgrade(ValueError):
    """There is nothing to go to, and why."""


@dataclass(frozen=True)
class Upgrade:
    """A tenant's way from the version that is live to another."""

    tenant: Tenant
    template: str
    old: str
    new: str
    own: Layer  # the tenant's own layer as it will be
    layers: tuple[Layer, ...]
    changes: tuple[Change, ...]
    touches: tuple[Touch, ...]
    mends: tuple[Mend, ...]
    problems: tuple[Problem, ...]  # what keeps it from being applied
    sources: dict[str, Source]
    plan: Plan | None  # None where there are problems
    newer: str = ""  # a version that is there, which the tenant's manifest does not take

    @property
    def outcome(self) -> Outcome:
        """What can be done: nothing is to do, it can be applied, or what is in the way."""
        if self.plan is None:
            return "conflict"
        if self.plan.failing:
            return "rows"
        if self.plan.destroys:
            return "destroys"
        return "ready" if self.plan.steps or self.plan.changes_configuration else "nothing"

    @property
    def why(self) -> str:
        """The reason that the revision keeps."""
        return f"Upgrade to {self.template} {self.new}"

    def as_json(self) -> dict[str, Any]:
        """The upgrade for programs."""
        return {
            "tenant": self.tenant.slug,
            "template": self.template,
            "from": self.old,
            "to": self.new,
            "outcome": self.outcome,
            "changes": [{"what": c.what, "path": c.name, "text": str(c)} for c in self.changes],
            "touches": [{"why": t.why, "text": t.text, "place": str(t.mark)} for t in self.touches],
            "carried": [str(mended) for mended in self.mends],
            "problems": [{"code": p.code, "message": p.message, "place": str(p.mark)} for p in self.problems],
            "plan": self.plan.as_json() if self.plan is not None else None,
        }


def plan_upgrade(
    catalogue: Catalogue, workspace: Workspace, tenant: Tenant, wanted: str = "", own: Layer | None = None
) -> Upgrade:
    """Plan the way to the newest version that fits (`wanted`, else what the tenant's manifest takes).

    `own`: the tenant's own layer, where it was put right for the new version. Raises NoUpgrade.
    """
    live = catalogue.revision(tenant.slug, tenant.revision).layers
    mine = own or _own(live, tenant.slug)
    name, takes = _pin(mine)
    if not name:
        raise NoUpgrade(f"{tenant.slug} is built on no template")
    before = [layer for layer in live if (found := manifest_of(layer)) is None or found.kind != "tenant"]
    old = next((m.version for m in map(_template, before) if m is not None and m.name == name), "")
    version = target(workspace, name, wanted or takes, old)
    if not satisfies(version, takes) and takes:
        mine = _pinned(mine, name, takes, version)
    below = _below(workspace, mine, name, version)
    changes = compare(before, below)
    told = touches(mine, changes)
    mine, mends = mend(below, mine, changes)
    layers = (*below, mine)
    compiled = compile_draft(layers)
    problems = [p for p in (*compiled.problems, *unmet(layers)) if p.is_error]
    planned: Plan | None = None
    if compiled.model is not None and compiled.profile is not None and not problems:
        planned = plan_compiled(tenant, layers, compiled.model, compiled.profile)
    return Upgrade(
        tenant,
        name,
        old,
        version,
        mine,
        layers,
        tuple(changes),
        tuple(touch for touch in told if touch.why != "renamed" or not mends),
        tuple(mends),
        tuple(problems),
        dict(compiled.sources),
        planned,
        newer=latest if (latest := newest(workspace.versions(name)) or "") and order(latest) > order(version) else "",
    )


def target(workspace: Workspace, name: str, wanted: str, old: str) -> str:
    """The version to go to. Raises NoUpgrade."""
    there = workspace.versions(name)
    version = newest(there, wanted)
    if version is None:
        known = f"there is {', '.join(there)}" if there else "it is not installed"
        raise NoUpgrade(f"no version of {name} is {wanted or 'there'}: {known}")
    if old and order(version) < order(old):
        raise NoUpgrade(f"{name} {version} is older than {old}, which is live; an earlier revision goes back")
    return version


def _own(live: Sequence[Layer], slug: str) -> Layer:
    for layer in live:
        document = manifest_of(layer)
        if document is not None and document.kind == "tenant":
            return layer
    raise NoUpgrade(f"{slug} has no manifest of its own")


def _template(layer: Layer) -> Any:
    document = manifest_of(layer)
    return manifest(layer) if document is not None and document.kind == "template" else None


def _pin(own: Layer) -> tuple[str, str]:
    document = manifest_of(own)
    place = document.place.children.get("template") if document is not None else None
    name, _, wanted = (place.raw or "" if place is not None else "").partition(" ")
    return name, wanted.strip()


def _pinned(own: Layer, name: str, takes: str, version: str) -> Layer:
    """The tenant's manifest taking the version that was asked for, written as it was: ^1 becomes ^2."""
    document = manifest_of(own)
    assert document is not None
    place = document.place.children["template"]
    head = re.match(r"\D*", takes)
    parts = len(takes.split(".")) if re.fullmatch(r"[\^~]?[\d.]+", takes) else 2
    sign = head[0] if head is not None and head[0] in ("^", "~") else "^"
    wanted = f"{name} {sign}{'.'.join(version.split('.')[:parts])}"
    changed, _ = _splice(own, [Splice(place.mark, place.raw or "", wanted)])
    return changed


def _below(workspace: Workspace, own: Layer, name: str, version: str) -> list[Layer]:
    """What the tenant will stand on: the core, and the template in exactly this version with what it builds on."""
    return workspace.layers_for(workspace.template(name, version))


def with_tests_of(upgrade: Upgrade) -> list[Layer]:
    """The layers with the new version's scenarios beside the tenant's own, to be played on its configuration."""
    template = upgrade.layers[-2]
    taken = {path: text for path, text in template.files.items() if path.startswith("tests/")}
    own = {path: text for path, text in upgrade.own.files.items() if not path.startswith("tests/")}
    moved = {
        f"tests/own/{path.removeprefix('tests/')}": upgrade.own.files[path] for path in upgrade.own.files.keys() - own
    }
    return [*upgrade.layers[:-1], replace(upgrade.own, files={**own, **moved, **taken})]
