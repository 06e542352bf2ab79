"""Every value knows where it was written."""

# ruff: noqa: E501
from __future__ import annotations

from trellis.config.layer import layer_from_files
from trellis.config.provenance import where
from trellis.config.stack import stack

CORE = (
    "entity: deal\nfields:\n  amount: {type: money}\n  priority: {type: choice, choices: [low, {high: {color: red}}]}\n"
)
TENANT = "entity: deal\nfields:\n  amount: {label: Sum}\n  priority: {choices: {edit: {high: {label: Urgent}}, add: [top]}}\n"


def test_values_of_different_layers() -> None:
    layers = [
        layer_from_files("core", {"schemas/a.yaml": CORE}),
        layer_from_files("t", {"schemas/b.yaml": TENANT}, "t"),
    ]
    configuration = stack(layers)

    def at(path: str) -> str:
        return str(where(configuration, path))

    assert configuration.problems == []
    assert at("entity.deal") == "schemas/a.yaml:1:1"
    assert at("entity.deal.fields.amount.type") == "schemas/a.yaml:3:12"
    assert at("entity.deal.fields.amount.label") == "t/schemas/b.yaml:3:12"
    assert at("entity.deal.fields.priority.choices.high.color") == "schemas/a.yaml:4:51"
    assert at("entity.deal.fields.priority.choices.high.label") == "t/schemas/b.yaml:4:38"
    assert at("entity.deal.fields.priority.choices.top") == "t/schemas/b.yaml:4:61"
    assert at("entity.deal.nothing") == "None"
