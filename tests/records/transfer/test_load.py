"""A layer's data: in the order of its links, formulas computed, and no harm in doing it again."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from trellis.model.view import Sort
from trellis.records.store import Store
from trellis.records.transfer import BadMapping, load_data

FILES = {
    # people link to accounts, accounts to accounts that come later, people to each other in a ring
    "account.csv": "code,name,parent\nA-1,Acme,A-2\nA-2,Globex,\n",
    "person.yaml": """
- {name: Ann, email: ann@example.com, account: A-1, friends: [bob@example.com], born: =today() - days(3)}
- {name: Bob, email: bob@example.com, about: "person:ann@example.com", count: 3, yes: true, topics: [a, c]}
""",
}


def write(folder: Path, files: dict[str, str], which: str = "seed") -> Path:
    for name, text in files.items():
        path = folder / "data" / which / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def test_data_is_loaded_in_the_order_of_its_links(store: Store, tmp_path: Path) -> None:
    report = load_data(store, [write(tmp_path, FILES)], "seed")
    assert report.failures == []
    assert report.created == {"account": 2, "person": 2}
    [acme, globex] = store.list("account", columns=["code", "parent"], sort=[Sort("code")]).rows
    assert acme["parent"].id == globex.id
    paths = ["email", "account.code", "friends", "born", "about", "topics", "yes"]
    [ann, bob] = store.list("person", columns=paths, sort=[Sort("email")]).rows
    assert (ann["account.code"], ann["born"]) == ("A-1", date(2026, 2, 27))
    assert [ref.id for ref in ann["friends"]] == [bob.id]
    assert bob["about"].id == ann.id
    assert (bob["topics"], bob["yes"]) == (("a", "c"), True)
    again = load_data(store, [tmp_path], "seed")
    assert (again.created.total(), again.skipped.total()) == (0, 4)


def test_formulas_that_differ_in_a_number_have_each_their_value(store: Store, tmp_path: Path) -> None:
    cells = ["=today() - days(3)", "=today() - days(13)", "\"=date('2026-01-13') + days(3)\"", "=tody() - days(1)"]
    rows = "".join(f"{name},{cell}\n" for name, cell in zip(["Ann", "Bob", "Cy", "Di"], cells, strict=True))
    folder = write(tmp_path, {"person.csv": f"name,born\n{rows}"}, "demo")
    report = load_data(store, [folder], "demo")
    people = store.list("person", columns=["name", "born"], sort=[Sort("name")]).rows
    assert [p["born"] for p in people] == [date(2026, 2, 27), date(2026, 2, 17), date(2026, 1, 16)]
    assert len(report.failures) == 1
    assert "tody" in report.failures[0]


def test_what_has_no_key_is_known_by_everything(store: Store, tmp_path: Path) -> None:
    folder = write(tmp_path, {"person.csv": "name,size,born\nAnn,1,\nBob,,2026-01-01\nCy,,\nAnn,,2026-01-01\n"})
    assert load_data(store, [folder], "seed").created == {"person": 4}
    assert load_data(store, [folder], "seed").created == {}


def test_later_layers_add_to_earlier_ones(store: Store, tmp_path: Path) -> None:
    core = write(tmp_path / "core", {"account.csv": "code,name\nA-1,Acme\n"})
    own = write(tmp_path / "own", {"account.csv": "code,name,parent\nA-1,Other,\nA-2,Globex,A-1\n"})
    report = load_data(store, [core, own], "seed")
    assert (report.created, report.skipped) == ({"account": 2}, {"account": 1})
    assert load_data(store, [core, own], "demo").created == {}


def test_what_fits_nothing_is_refused_before_anything_is_written(store: Store, tmp_path: Path) -> None:
    files = {"account.csv": "code,nam\nA-1,Acme\n", "persons.csv": "name\nAnn\n", "person.yaml": "- [a]\n"}
    with pytest.raises(BadMapping, match="expected a list of records"):
        load_data(store, [write(tmp_path, files)], "seed")
    (tmp_path / "data" / "seed" / "person.yaml").unlink()
    with pytest.raises(BadMapping) as refusal:
        load_data(store, [tmp_path], "seed")
    assert [problem.rpartition("/")[2] for problem in refusal.value.problems] == [
        "persons.csv: there is no entity 'persons'",
        "account.csv: column 'nam': account has no field 'nam' (did you mean 'name'?)",
    ]


def test_refused_rows_are_told(store: Store, tmp_path: Path) -> None:
    text = "name,email,account,born\nAnn,ann@,,\nBob,b@example.com,A-9,\nCy,c@example.com,,=nonsense(\n"
    report = load_data(store, [write(tmp_path, {"person.csv": text})], "seed")
    assert report.created == {"person": 1}
    told = [failure.partition("person.csv:")[2] for failure in report.failures]
    assert told[0] == "2: email: “ann@” is not an e-mail address. Write it like name@example.com."
    assert told[1].startswith("4: born: This is no formula")
    assert told[2] == "3: account: “A-9” names no record."
