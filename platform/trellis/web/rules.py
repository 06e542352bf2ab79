"""Routes that are the same in every tenant's app: what Werkzeug compiles of one is kept for all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule

_builders: dict[tuple[object, ...], Callable[..., tuple[str, str]]] = {}


class SharedRule(Rule):
    """A route whose address is written by a function that the routes of the same text share.

    Werkzeug makes two functions of every route, by compiling Python: with hundreds of routes that was four fifths of
    what a tenant's app takes to make, and half of its memory.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        if self.defaults:  # they are written into the function
            return super()._compile_builder(append_unknown)
        key = (self.rule, self.subdomain, self.host, self.merge_slashes, append_unknown)
        made: Any = _builders.get(key)
        if made is None:
            made = _builders[key] = super()._compile_builder(append_unknown)
        return made  # type: ignore[no-any-return]
