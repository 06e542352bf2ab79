"""A new template is right, and what a template for others lacks is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from trellis.config.layer import read_layer
from trellis.config.problem import Problem
from trellis.config.workspace import Workspace
from trellis.model.compile import compile_layers
from trellis.packaging.checking import check_data, check_folder
from trellis.packaging.contents import Contents, contents
from trellis.packaging.manifest import manifest
from trellis.packaging.rules import RULES, Subject, check_template
from trellis.packaging.starting import Beginning, NotMade, begin, begin_from
from trellis.storage.catalogue import Catalogue

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    begin(tmp_path / "vet", Beginning("vet", 'Vet: "Paws" & Co', "animal_case"))
    return tmp_path / "vet"


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    """A new template, compiled once."""
    folder = tmp_path_factory.mktemp("checked") / "vet"
    begin(folder, Beginning("vet", "Vet", "animal_case"))
    layers = Workspace(ROOT).layers_for(read_layer(folder, "templates/vet"))
    return Subject(layers, compile_layers(layers), contents(folder))


def edited(subject: Subject, name: str, *words: str) -> dict[str, Problem]:
    """What the rules say when a file has other words in it: old, new, old, new."""
    text = subject.layer.text()[name]
    for old, new in zip(words[::2], words[1::2], strict=True):
        assert old in text
        text = text.replace(old, new)
    layer = replace(subject.layer, files={**subject.layer.files, name: text})
    return {p.code: p for p in check_template(replace(subject, layers=[*subject.layers[:-1], layer]))}


def test_a_new_template_has_nothing_to_be_told_about_and_its_data_load(folder: Path, catalogue: Catalogue) -> None:
    checked = check_folder(Workspace(ROOT), folder)
    assert checked.problems == ()
    with (folder / "data" / "demo" / "animal_case.csv").open("a", encoding="utf-8") as file:
        file.write("Next,Nobody Ltd,standard,planned,,\n")
    problems = check_data(catalogue, checked, "check-of-new")
    assert [p.code for p in problems] == ["E334"]  # all the others were loaded
    assert "Nobody Ltd" in problems[0].message
    assert "check-of-new" not in [entry.slug for entry in catalogue.list()]


@pytest.mark.parametrize(
    ("old", "new", "code", "words"),
    [
        ("license: Apache-2.0", "license: Apache", "E333", "'Apache' is no SPDX licence"),
        ("license: Apache-2.0", "license: apache-2.0", "W641", "as Apache-2.0"),
        ("license: Apache-2.0\n", "", "W641", "under which licence"),
        ('core: "^1"', 'core: "^7"', "E331", "requires the core ^7; 1.0.0 is here"),
        ('core: "^1"', "core: newest", "E331", "no range of versions"),
        ('core: "^1"', 'core: "^1", clinic: "^1"', "E331", "template 'clinic' ^1, which is not below"),
        ('core: "^1"', "", "W646", "which version of core"),
        ("author: ", "# author: ", "W642", "has no author"),
        ("template: vet", "template: dentist", "W645", "called vet, the template dentist"),
    ],
)
def test_what_the_manifest_lacks_is_told(subject: Subject, old: str, new: str, code: str, words: str) -> None:
    quiet = edited(subject, "template.yaml", "languages:", "# languages:", old, new)  # looking at them compiles anew
    assert words in quiet[code].message


def test_languages_that_are_not_complete_are_told_with_what_is_missing(subject: Subject) -> None:
    files = subject.layer.text()
    files["i18n/zh-Hans.yaml"] = files["i18n/zh-Hans.yaml"].replace("entity.animal_case.fields.due.label", "# ")
    files["template.yaml"] = files["template.yaml"].replace("[en, zh-Hans]", "[en, zh-Hans, de]")
    layer = replace(subject.layer, files=files)
    found = list(RULES["languages"](replace(subject, layers=[*subject.layers[:-1], layer])))
    chinese, german = (problem.message for problem in found)
    assert chinese == "1 text has no translation into zh-Hans:\n    entity.animal_case.fields.due.label: Due"
    assert "entity.animal_case.label: Animal case" in german
    assert "fields.created_at" not in german  # the platform's own is not the template's to translate


def test_what_is_missing_is_told(subject: Subject, tmp_path: Path) -> None:
    (tmp_path / "data" / "demo").mkdir(parents=True)
    (tmp_path / "data" / "demo" / "animal.csv").write_text("name\nRex\n", "utf-8")
    model = subject.compiled.model
    assert model is not None
    bare = replace(
        subject,
        layers=[*subject.layers[:-1], replace(subject.layer, path=tmp_path)],
        compiled=replace(subject.compiled, model=replace(model, scenarios=())),
        contents=Contents({"template.yaml": b""}),
    )
    found = {p.code: p.message for name in ("readme", "scenarios", "data") for p in RULES[name](bare)}
    assert found == {
        "W642": "there is no README.md",
        "W644": "there are no scenarios in tests/",
        "W647": "there are no demo data",
        "E334": "data/demo/animal.csv: there is no entity 'animal'",
    }


@pytest.mark.parametrize("name", ["Vet", "vet_clinic", "../vet", "", "x" * 60])
def test_a_name_that_cannot_be_one_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotMade, match="cannot be a template's name"):
        begin(tmp_path / "new", Beginning(name))


def test_nothing_is_written_over(folder: Path) -> None:
    with pytest.raises(NotMade, match="is there already"):
        begin(folder, Beginning("vet"))


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """An installation with a core of one entity, a template and a tenant."""
    files = {
        "schemas/keeper.yaml": "entity: keeper\nfields: {name: {type: text}}\n",
        "templates/vet/template.yaml": "template: vet  # ours\nversion: 1.4.0\nlicense: MIT\n",
        "templates/vet/schemas/animal.yaml": "entity: animal\nfields: {name: {type: text}}\n",
        "templates/vet/README.md": "# Vet\n",
        "templates/vet/offer.docx": "not part of it",
        "tenants/paws/tenant.yaml": "tenant: paws\ntemplate: vet ^1.4\ncurrency: EUR\n",
        "tenants/paws/schemas/own.yaml": "entity: animal\nfields: {chip: {type: text}}\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def test_a_template_begins_with_what_a_tenant_has_of_its_own(small: Path) -> None:
    files = begin_from(small / "templates/paws-way", Beginning("paws-way"), small / "tenants/paws")
    assert files == ["README.md", "schemas/own.yaml", "template.yaml"]
    checked = check_folder(Workspace(small), small / "templates/paws-way")
    assert checked.is_sound, checked.problems
    assert [layer.name for layer in checked.layers] == ["core", "templates/vet", "templates/paws-way"]
    assert manifest(checked.layers[-1]).requires["vet"] == "^1.4"


def test_a_template_begins_with_another(small: Path) -> None:
    files = begin_from(small / "templates/zoo", Beginning("zoo"), small / "templates/vet")
    assert files == ["README.md", "schemas/animal.yaml", "template.yaml"]
    assert check_folder(Workspace(small), small / "templates/zoo").is_sound
    assert (small / "templates/zoo/template.yaml").read_text("utf-8").startswith("template: zoo\nversion: 0.1.0\n")
