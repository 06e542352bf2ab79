"""What a public form may say."""

from __future__ import annotations

from typing import Any

import pytest

LEAD = """
entity: lead
title: name
fields:
  name:  {type: text}
  email: {type: email}
  boss:  {type: link, to: lead}
  words: {type: integer, formula: 1 + 1}
---
workflow: contact
steps: [{log: x}]
on:
  form:
    entity: lead
"""


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("fields: [name, email]", []),
        ("fields: [name, boss]", ["strangers cannot fill in"]),
        ("fields: [words]", ["is computed"]),
        ("fields: [nmae]", ["unknown field 'nmae'"]),
        ("fields: [name]\n    required: [email]", ["not among the fields"]),
        ("fields: [name]\n    confirm: name", ["no e-mail field of the form"]),
        ("fields: [name]\n    confirm: mail", ["no e-mail field of the form"]),
        ("fields: [name]\n    labels: {email: Your address}", ["not among the fields"]),
        ("fields: [name]\n    embed: [https://x.example/page]", ["is no site"]),
    ],
)
def test_what_is_wrong_is_said(compile_yaml: Any, form: str, said: list[str]) -> None:
    found = [problem.message for problem in compile_yaml(LEAD + "    " + form + "\n").problems if problem.is_error]
    assert len(found) == len(said)
    assert all(words in text for words, text in zip(said, found, strict=True))
