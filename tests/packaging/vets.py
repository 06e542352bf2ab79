"""A small template in two versions, and what a clinic has made of the first."""

from __future__ import annotations

from trellis.packaging.keys import SigningKey
from trellis.packaging.manifest import Manifest, manifest
from trellis.packaging.package import Package, build, layer_of
from trellis.packaging.reading import package_of

CORE = "entity: keeper\nfields:\n  name: {type: text, required: true, unique: true}\n"
MANIFEST = """template: vet
version: {version}
label: Veterinary
requires: {{trellis: ">=1.0", core: "^1"}}
author: Paws & Co
license: Apache-2.0
"""
FIRST = """
entity: animal
label: Animal
key: name
fields:
  name: {type: text, required: true, max_length: 60, unique: true}
  breed: {type: text, label: Breed}
  chip: {type: text}
  colour: {type: text}
  species: {type: choice, choices: [dog, {cat: Cat}, bird]}
  keeper: {type: link, to: keeper, inverse: animals}
views:
  patients: {type: list, columns: [name, breed, keeper], sort: [name]}
"""
# breed is called race, cat is called feline, colour is gone, the name may be longer, a weight and an entity are new
SECOND = """
entity: animal
label: Patient
key: name
fields:
  name: {type: text, required: true, max_length: 80, unique: true}
  race: {type: text, label: Breed, was: breed}
  chip: {type: text}
  weight: {type: decimal, label: Weight}
  species: {type: choice, choices: [dog, {feline: {label: Cat, was: cat}}, bird]}
  keeper: {type: link, to: keeper, inverse: animals}
views:
  patients: {type: list, columns: [name, race, keeper], sort: [name]}
---
entity: ward
fields: {name: {type: text, required: true, unique: true}}
"""
TEST = """
test: a-patient-keeps-its-race
given:
  - {create: animal, set: {name: Rex, race: Collie, species: dog}, as: rex}
expect:
  - {record: =rex, values: {race: Collie}}
"""
OWN = """
entity: animal
label: Pet
fields:
  name: {max_length: 50}
  breed: {label: Kind of animal}
  weight: {label: Kilos, type: decimal}
  nick: {type: text, formula: 'if(species == "cat", "puss", coalesce(breed, name))'}
views:
  patients: {columns: {add: [nick], after: breed}}
  by-breed: {type: list, columns: [breed, name], sort: [-breed]}
"""
CARRIED = """
entity: animal
label: Pet
fields:
  name: {max_length: 50}
  race: {label: Kind of animal}
  weight: {label: Kilos, type: decimal}
  nick: {type: text, formula: 'if(species == "feline", "puss", coalesce(race, name))'}
views:
  patients: {columns: {add: [nick], after: race}}
  by-breed: {type: list, columns: [race, name], sort: [-race]}
"""
OWN_TEXTS = "entity.animal.fields.breed.label: 品种\n"


def packed(version: str, schema: str, key: SigningKey, *, extra: str = "", old: str = "", new: str = "") -> Package:
    """A package of a version, as it comes from somebody else; the manifest with other words in it."""
    files = {
        "template.yaml": (MANIFEST.format(version=version).replace(old or "\0", new) + extra).encode(),
        "schemas/animal.yaml": schema.encode(),
    }
    if "race" in schema:
        files["tests/race.yaml"] = TEST.encode()
    if "ward" in schema:
        files["data/seed/ward.csv"] = b"name\nQuarantine\n"
    return package_of(build(manifest(layer_of(Manifest("vet", version), files)), files, key))
