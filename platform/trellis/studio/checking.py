"""Checking a draft with the same checker as `trellis check`, one at a time, what was found last kept."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from werkzeug.exceptions import ServiceUnavailable

from trellis.config.phrase import phrase
from trellis.config.problem import Problem
from trellis.model.compile import Compiled
from trellis.model.compile.compiled import compile_draft, content_hash
from trellis.studio.own import MANIFEST, own_layer

if TYPE_CHECKING:
    from trellis.config.layer import Document, Layer

KEPT = 6
IN_LINE = 3  # checks at work or waiting: a server's other threads are for pages
PATIENCE = 1.0  # seconds to wait for a place in the line

_found: OrderedDict[str, Compiled] = OrderedDict()
_keeping = threading.Lock()
_turn = threading.Lock()  # a check takes the processor for a while: others go on working beside one, not beside ten
_line = threading.BoundedSemaphore(IN_LINE)


class Busy(ServiceUnavailable):
    """So many drafts are being checked at this moment that another would keep pages waiting."""

    def __init__(self) -> None:
        super().__init__("Many drafts are being checked at this moment.", retry_after=5)


def check(layers: Sequence[Layer], slug: str) -> tuple[Compiled, list[Problem]]:
    """What the layers compile to, and every problem; a tenant may not give itself another name. Raises Busy."""
    key = content_hash(layers)
    compiled = _known(key) or _check(layers, key)
    return compiled, [*compiled.problems, *_about_the_name(compiled, layers, slug)]


def _known(key: str) -> Compiled | None:
    with _keeping:
        if key in _found:
            _found.move_to_end(key)
        return _found.get(key)


def _check(layers: Sequence[Layer], key: str) -> Compiled:
    if not _line.acquire(timeout=PATIENCE):
        raise Busy
    try:
        with _turn:
            compiled = _known(key) or compile_draft(layers)
    finally:
        _line.release()
    with _keeping:
        _found[key] = compiled
        while len(_found) > KEPT:
            _found.popitem(last=False)
    return compiled


def is_sound(problems: Sequence[Problem]) -> bool:
    """Whether nothing stands in the way of publishing."""
    return not any(p.is_error for p in problems)


def _about_the_name(compiled: Compiled, layers: Sequence[Layer], slug: str) -> list[Problem]:
    """tenant.yaml has to be there and say `tenant: <slug>`: what the catalogue calls the tenant stays."""
    own = own_layer(layers, slug)
    manifest = compiled.configuration.manifest
    if manifest is not None and manifest.kind == "tenant":
        if manifest.key == slug:
            return _about_the_template(compiled, manifest)
        mark = manifest.place.children["tenant"].mark
        return [
            Problem(
                "E207", phrase("this company is called '{name}' and cannot be renamed here", name=slug), mark, "tenant"
            )
        ]
    if any(p.is_error and p.mark and p.mark.file == own.display(MANIFEST) for p in compiled.problems):
        return []  # it is there, and cannot be read: told already
    hint = phrase("begin the file with `tenant: {slug}`", slug=slug)
    return [
        Problem("E112", phrase("{file} is not there, or is not about a tenant", file=MANIFEST), None, "tenant", hint)
    ]


def _about_the_template(compiled: Compiled, manifest: Document) -> list[Problem]:
    """What the company stands on stays what it is: another template, or none, is the operator's to give it."""
    templates = list(compiled.configuration.of("template"))
    if not templates or manifest.data.get("template"):
        return []  # another template's name is told by the check already: it is not among the layers
    place = manifest.place.children["tenant"]
    return [
        Problem(
            "E204",
            "'template' is missing",
            place.key_mark,
            "template",
            phrase("write `template: {name}`", name=templates[-1]),
        )
    ]
