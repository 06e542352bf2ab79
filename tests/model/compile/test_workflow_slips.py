"""What administrators write by mistake into workflows: the message says what to do about it."""

from __future__ import annotations

import pytest
from tests.conftest import SAMPLE, layers_of

from trellis.model.compile import compile_layers

PEOPLE = "---\nentity: user\nfields:\n  name: {type: text}\n---\nrole: rep\n"


@pytest.mark.parametrize(
    ("steps", "code", "message", "hint"),
    [
        (
            "[{create: contact, set: {name: X}, as: amount}, {log: '{amount}'}]",
            "W613",
            "'amount' is a field of deal: formulas read the field, not what this step gives",
            "call it otherwise, such as the_amount",
        ),
        (
            "[{assign: {to: round_robin, among: {role: rep}}}]",
            "E206",
            "'round_robin' is not known here",
            "did you mean 'round-robin'?",
        ),
        (
            "[{log: '{=plan.name}'}, {create: contact, set: {name: X}, as: plan}]",
            "E402",
            "unknown name 'plan'",
            "'plan' is what a later step gives: it is known to the steps after that one",
        ),
    ],
)
def test_a_slip_is_told_with_what_to_do(steps: str, code: str, message: str, hint: str) -> None:
    text = f"{SAMPLE}{PEOPLE}---\nworkflow: slip\non: {{record: deal, created: true}}\nsteps: {steps}\n"
    found = compile_layers(layers_of(text)).problems
    assert [(p.code, p.message, p.hint) for p in found] == [(code, message, hint)]


def test_the_results_of_steps_before_are_known() -> None:
    steps = "[{create: contact, set: {name: X}, as: plan}, {log: '{plan.name}'}]"
    text = f"{SAMPLE}---\nworkflow: slip\non: {{record: deal, created: true}}\nsteps: {steps}\n"
    assert compile_layers(layers_of(text)).problems == []
