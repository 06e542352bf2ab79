"""What differs between two versions, and where a tenant has a word about it too: without a database."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trellis.config.layer import Layer, layer_from_files
from trellis.packaging.upgrading.compare import compare
from trellis.packaging.upgrading.touching import touches

OLD = """
entity: animal
label: Animal
fields:
  name: {type: text}
  breed: {type: text}
  species: {type: choice, choices: [dog, {cat: Cat}]}
views: {all: {columns: [name, breed]}}
"""


def layer(text: str) -> Layer:
    return layer_from_files("templates/vet", {"schemas/a.yaml": text}, "templates/vet")


def own(text: str) -> Layer:
    return layer_from_files("tenants/paws", {"schemas/own.yaml": text}, "tenants/paws")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("label: Animal", "label: Patient", ["changed entity.animal.label: Animal → Patient"]),
        ("  breed: {type: text}\n", "", ["removed entity.animal.fields.breed"]),
        (
            "breed: {type: text}",
            "race: {type: text, was: breed}",
            ["renamed entity.animal.fields.breed is called race now"],
        ),
        (
            "{cat: Cat}",
            "{feline: {label: Cat, was: cat}}",
            ["renamed entity.animal.fields.species.choices.cat is called feline now"],
        ),
        ("dog, ", "dog, bird, ", ["added entity.animal.fields.species.choices.bird"]),
        ("[name, breed]", "[breed, name]", ["changed entity.animal.views.all.columns: name, breed → breed, name"]),
        ("entity: animal\n", "entity: patient\nwas: animal\n", ["renamed entity.animal is called patient now"]),
    ],
)
def test_what_a_new_version_brings(old: str, new: str, told: list[str]) -> None:
    assert [f"{c.what} {c}" for c in compare([layer(OLD)], [layer(OLD.replace(old, new))])] == told


def test_a_renamed_name_is_told_once_and_not_wherever_it_stands() -> None:
    new = OLD.replace("breed: {type: text}", "race: {type: text, was: breed}").replace("[name, breed]", "[name, race]")
    assert [change.what for change in compare([layer(OLD)], [layer(new)])] == ["renamed"]


@pytest.mark.parametrize(
    ("old", "new", "mine", "told"),
    [
        ("label: Animal", "label: Patient", "entity: animal\nlabel: Pet\n", "both"),
        ("label: Animal", "label: Patient", "entity: animal\nlabel: Patient\n", "same"),
        ("label: Animal", "label: Patient", "entity: animal\nplural: Pets\n", ""),
        ("  breed: {type: text}\n", "", "entity: animal\nfields: {breed: {label: Kind}}\n", "removed"),
        ("  breed: {type: text}\n", "", "entity: animal\nfields: {breed: null}\n", ""),
        ("fields:", "color: red\nfields:", "entity: animal\ncolor: blue\n", "added"),
        ("[name, breed]", "[name]", "entity: animal\nviews: {all: {columns: [breed, name]}}\n", "both"),
        ("label: Animal", "label: Patient", "entity: animal\nreplace: true\nlabel: Pet\n", "both"),
    ],
)
def test_where_both_have_a_word(old: str, new: str, mine: str, told: str) -> None:
    found = touches(own(mine), compare([layer(OLD)], [layer(OLD.replace(old, new))]))
    assert [touch.why for touch in found] == ([told] if told else [])
    assert all(touch.text and touch.mark.file == "tenants/paws/schemas/own.yaml" for touch in found)


WORDS = st.sampled_from(["name", "breed", "race", "label", "x"])
TREES = st.recursive(
    WORDS, lambda inner: st.dictionaries(WORDS, inner, max_size=3) | st.lists(WORDS, max_size=3, unique=True)
)


@given(st.dictionaries(WORDS, TREES, max_size=3), st.dictionaries(WORDS, TREES, max_size=3))
@settings(max_examples=60, deadline=None)
def test_the_same_differs_in_nothing_and_what_differs_is_told(one: dict, other: dict) -> None:
    layers = [layer(json.dumps({"entity": "animal", **data})) for data in (one, other)]
    assert compare(layers[:1], layers[:1]) == []
    assert bool(compare(layers[:1], layers[1:])) == (one != other)
