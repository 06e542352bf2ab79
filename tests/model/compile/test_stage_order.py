"""Where a later layer's stages stand: `after` and `before` one that is there."""

from __future__ import annotations

import pytest

from trellis.config.layer import layer_from_files
from trellis.model.compile import compile_layers

BASE = """
entity: deal
fields: {name: {type: text}}
---
pipeline: sales
entity: deal
stages: {new: New, offer: Offer, won: {type: won}}
"""


def stages(own: str) -> tuple[list[str], list[str]]:
    """The stages of the pipeline in their order, and the codes of what is wrong."""
    files = {"tenant.yaml": "tenant: t\nlabel: T\n", "schemas/own.yaml": f"pipeline: sales\nstages: {own}\n"}
    compiled = compile_layers([layer_from_files("base", {"schemas/base.yaml": BASE}), layer_from_files("own", files)])
    codes = [p.code for p in compiled.problems]
    return (list(compiled.model.pipelines["sales"].stages) if compiled.model else []), codes


@pytest.mark.parametrize(
    ("own", "order"),
    [
        ("{legal: {label: Legal}}", ["new", "offer", "won", "legal"]),
        ("{legal: {after: offer}}", ["new", "offer", "legal", "won"]),
        ("{legal: {before: new}}", ["legal", "new", "offer", "won"]),
        ("{sign: {after: legal}, legal: {after: offer}}", ["new", "offer", "legal", "sign", "won"]),
        ("{offer: {before: new}}", ["offer", "new", "won"]),
    ],
)
def test_stages_stand_where_they_say(own: str, order: list[str]) -> None:
    assert stages(own) == (order, [])


@pytest.mark.parametrize(
    ("own", "code"),
    [
        ("{legal: {after: ofer}}", "E309"),
        ("{legal: {after: legal}}", "E309"),
        ("{a: {after: b}, b: {after: a}}", "E318"),
    ],
)
def test_a_place_that_there_is_not_is_told(own: str, code: str) -> None:
    assert code in stages(own)[1]
