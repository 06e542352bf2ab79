"""`requires:` in template.yaml: the versions of Trellis, of the core and of other templates that a template needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from trellis import CORE_VERSION, __version__
from trellis.config.problem import Problem
from trellis.config.versions import is_range, satisfies
from trellis.config.workspace import manifest_of
from trellis.packaging.manifest import read_manifest
from trellis.storage.catalogue import BrokenConfiguration

if TYPE_CHECKING:
    from trellis.config.layer import Document, Layer

PLATFORM, CORE = "trellis", "core"


def unmet(layers: Sequence[Layer]) -> list[Problem]:
    """What the templates among the layers require and is not there (E331)."""
    templates = [d for d in map(manifest_of, layers) if d is not None and d.kind == "template"]
    there = {d.key: read_manifest(d).version for d in templates} | {PLATFORM: __version__, CORE: CORE_VERSION}
    return [problem for document in templates for problem in _unmet(document, there)]


def raise_unmet(layers: Sequence[Layer]) -> None:
    """Raise BrokenConfiguration if something that is required is not there."""
    if problems := unmet(layers):
        raise BrokenConfiguration(problems)


def _unmet(document: Document, there: dict[str, str]) -> Iterator[Problem]:
    place = document.place.children.get("requires")
    for name, wanted in read_manifest(document).requires.items():
        assert place is not None
        mark, path = place.children[name].mark, f"requires.{name}"
        what = {PLATFORM: "Trellis", CORE: "the core"}.get(name, f"template '{name}'")
        if not is_range(wanted):
            hint = "a range is written as ^1.4, ~1.4.2, >=1.2 <3"
            yield Problem("E331", f"'{wanted}' is no range of versions", mark, path, hint)
        elif name not in there:
            hint = f"`builds_on: {name}` takes it along"
            yield Problem("E331", f"{document.key} requires {what} {wanted}, which is not below it", mark, path, hint)
        elif not satisfies(there[name], wanted):
            hint = "upgrade Trellis" if name in (PLATFORM, CORE) else f"install a version of {name} that fits"
            message = f"{document.key} requires {what} {wanted}; {there[name]} is here"
            yield Problem("E331", message, mark, path, hint)
