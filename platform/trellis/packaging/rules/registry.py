"""The registry of packaging rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trellis.config.problem import Mark, Problem
from trellis.config.workspace import manifest_of
from trellis.packaging.manifest import Manifest, manifest

if TYPE_CHECKING:
    from trellis.config.layer import Layer
    from trellis.model.compile.compiled import Compiled
    from trellis.packaging.contents import Contents


@dataclass(frozen=True)
class Subject:
    """A template that is looked at: its layers, what they compile to, and its files."""

    layers: Sequence[Layer]
    compiled: Compiled
    contents: Contents

    @property
    def layer(self) -> Layer:
        """The template's own layer."""
        return self.layers[-1]

    @property
    def manifest(self) -> Manifest:
        """What the template says of itself."""
        return manifest(self.layer)

    def mark(self, key: str = "") -> Mark:
        """Where the manifest says something, else where it begins."""
        document = manifest_of(self.layer)
        place = document.place.children.get(key) if document is not None else None
        if place is not None:
            return place.mark
        return Mark(self.layer.display("template.yaml"), 1, 1, self.layer.name)


Rule = Callable[[Subject], Iterator[Problem]]
RULES: dict[str, Rule] = {}


def rule(name: str) -> Callable[[Rule], Rule]:
    """Register a rule."""

    def register(function: Rule) -> Rule:
        RULES[name] = function
        return function

    return register


def check_template(subject: Subject) -> list[Problem]:
    """What the rules find."""
    return [problem for each in RULES.values() for problem in each(subject)]
