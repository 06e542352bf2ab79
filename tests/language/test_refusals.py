"""Everything that a save may be refused for, from the records' door."""

from __future__ import annotations

from typing import Any

import pytest
from tests.language.conftest import Crew, faults

from trellis.formula.types import Ref
from trellis.records.refusal import Forbidden, Missing, Refused, Stale

VALUES: dict[str, tuple[dict[str, Any], tuple[str, str]]] = {
    "required": ({"label": ""}, ("label", "required")),
    "a boolean that must be true": ({"agreed": False}, ("agreed", "required")),
    "too long": ({"label": "x" * 81}, ("label", "length")),
    "too short": ({"aliases": [], "species": "X"}, ("species", "length")),
    "below min": ({"legs": -2}, ("legs", "range")),
    "above max": ({"legs": 1002}, ("legs", "range")),
    "no step": ({"legs": 3}, ("legs", "range")),
    "below a decimal min": ({"weight": "0.0001"}, ("weight", "range")),
    "above max percent": ({"purity": 101}, ("purity", "range")),
    "negative money": ({"worth": "-1 EUR"}, ("worth", "range")),
    "no currency": ({"worth": "1 ZZZ"}, ("worth", "invalid")),
    "rating": ({"beauty": 6}, ("beauty", "range")),
    "named format of the template": ({"permit": "abc"}, ("permit", "format")),
    "named format of the platform": ({"iban": "DE00 1234"}, ("iban", "format")),
    "email": ({"finder_email": "not an address"}, ("finder_email", "email")),
    "phone": ({"finder_phone": "abc"}, ("finder_phone", "phone")),
    "url": ({"link": "no address at all"}, ("link", "url")),
    "json": ({"raw": "{"}, ("raw", "json")),
    "too many items": ({"aliases": ["a", "b", "c", "d"]}, ("aliases", "length")),
    "color": ({"tint": "blueish"}, ("tint", "color")),
    "integer": ({"legs": "many"}, ("legs", "invalid")),
    "date": ({"found_on": "2026-02-30"}, ("found_on", "invalid")),
    "time": ({"fed_at": "25:00"}, ("fed_at", "invalid")),
    "choice": ({"habitat": "moon"}, ("habitat", "choice")),
    "choice of a list": ({"senses": ["smell", "esp"]}, ("senses", "choice")),
    "known list": ({"country": "XX"}, ("country", "choice")),
    "choices_when": ({"habitat": "reef", "state": "stuffed"}, ("state", "choice")),
    "required_when": ({"state": "lost"}, ("loss_note", "required")),
    "readonly": ({"seal": "x"}, ("seal", "readonly")),
    "readonly by role": ({"purity": 3}, ("purity", "forbidden")),
    "hidden by role": ({"worth": "1 EUR"}, ("worth", "unknown")),
    "masked by role": ({"finder_phone": "+4930123456"}, ("finder_phone", "forbidden")),
    "unknown": ({"colour": "x"}, ("colour", "unknown")),
    "no such record": ({"camp": "00000000-0000-0000-0000-000000000000"}, ("camp", "link")),
}
BY_LEADER = ("readonly", "readonly by role", "hidden by role", "masked by role", "unknown")


@pytest.mark.parametrize("name", VALUES)
def test_values_are_refused(crew: Crew, name: str) -> None:
    values, expected = VALUES[name]
    store = crew.leader if name in BY_LEADER else crew.system
    assert expected in faults(lambda: crew.specimen(store, **values))


def test_messages_are_those_of_the_yaml(crew: Crew) -> None:
    with pytest.raises(Refused) as refused:
        crew.specimen(crew.system, permit="abc", worth="20000 EUR")
    assert {str(f) for f in refused.value.faults} == {
        "A permit number looks like AB-1234.",
        "What is worth more than 10 000 must be insured.",
    }
    rule = next(f for f in refused.value.faults if f.code == "rule")
    assert (rule.field, rule.message.in_language("zh-Hans")) == ("insured", "贵重物品必须投保。")  # type: ignore[union-attr]


def test_a_blank_does_not_break_a_rule(crew: Crew) -> None:
    assert crew.specimen(crew.system, worth=None)["worth"] is None


def test_unique(crew: Crew) -> None:
    crew.specimen(tag_code="4006381333931")
    assert ("tag_code", "unique") in faults(lambda: crew.specimen(tag_code="4006381333931"))
    camp = crew.system.create("camp", {"name": "Base", "expedition": crew.trip})
    crew.specimen(camp=camp.id, label="Twice")
    with pytest.raises(Refused, match="This camp already has a find of that name"):
        crew.specimen(camp=camp.id, label="TWICE")
    crew.specimen(label="Twice")  # without a camp: blanks do not count


def test_duplicates(crew: Crew) -> None:
    crew.specimen(permit="AB-1234", species="Vulpes lagopus")
    assert ("permit", "duplicate") in faults(lambda: crew.specimen(permit="AB-1234"))
    assert crew.specimen(species="Vulpes lagopos").warnings


def test_a_link_keeps_to_its_filter(crew: Crew) -> None:
    other = crew.leader.create("expedition", {"subject": "South", "start": "2026-07-01T08:00:00Z"})
    camp = crew.system.create("camp", {"name": "Elsewhere", "expedition": other.id})
    assert ("camp", "link") in faults(lambda: crew.specimen(camp=camp.id))


def test_what_is_readonly_after_create(crew: Crew) -> None:
    made = crew.specimen(origin="Here", state="alive")
    change = {"taxidermist": "x", "state": "stuffed"}  # judged on the record as stored
    assert faults(lambda: crew.leader.update("specimen", made.id, change)) == [("taxidermist", "readonly")]
    assert faults(lambda: crew.leader.update("specimen", made.id, {"origin": "There"})) == [("origin", "readonly")]


def test_a_hidden_field_keeps_its_value_or_is_cleared(crew: Crew) -> None:
    made = crew.specimen(state="lost", loss_note="Fell off")
    again = crew.leader.update("specimen", made.id, {"state": "alive"})
    assert again["loss_note"] is None


def test_a_stale_save(crew: Crew) -> None:
    made = crew.specimen(tint="#ff0000")
    crew.system.update("specimen", made.id, {"tint": "#00ff00"})
    with pytest.raises(Stale) as stale:
        crew.leader.update("specimen", made.id, {"tint": "#0000ff"}, version=made.version)
    assert stale.value.current == {"tint": "#00ff00"}
    same = crew.leader.update("specimen", made.id, {"tint": "#00ff00"}, version=made.version)  # nothing to change
    assert same["tint"] == "#00ff00"


def test_moves_gates_and_checklists(crew: Crew) -> None:
    def move(store: Any, stage: str, **more: Any) -> Any:
        return store.update("expedition", trip.id, {"stage": stage, **more})

    trip = crew.leader.create("expedition", {"subject": "Gates", "start": "2026-05-01T08:00:00Z"})
    assert (trip["pipeline"], trip["stage"], trip["stage_type"], trip["probability"]) == ("voyages", "idea", "open", 10)
    assert faults(lambda: move(crew.leader, "abroad")) == [("stage", "move")]
    assert faults(lambda: move(crew.leader, "planned")) == [("budget", "gate")]
    assert faults(lambda: move(crew.leader, "failed")) == [("lost_reason", "gate")]
    planned = move(crew.leader, "planned", budget="100 EUR")
    assert planned["probability"] == 40
    move(crew.leader, "abroad")
    assert [code for _, code in faults(lambda: move(crew.leader, "home"))] == ["gate", "gate"]
    ticked = {"checklist": ["abroad.vaccines", "abroad.visas"]}
    assert ("stage", "move") in faults(lambda: move(crew.system, "idea", **ticked))
    home = move(crew.leader, "home", **ticked)
    assert (home["stage_type"], home["probability"]) == ("won", 100)


def test_several_pipelines(crew: Crew) -> None:
    given = {"subject": "Help", "start": "2026-05-01T08:00:00Z", "pipeline": "rescues"}
    rescue = crew.leader.create("expedition", given)
    assert (rescue["pipeline"], rescue["stage"], rescue["status"], rescue["status_type"]) == (
        "rescues",
        "called",
        "draft",
        "open",
    )
    assert [f for f, _ in faults(lambda: crew.leader.update("expedition", rescue.id, {"stage": "idea"}))] == ["stage"]
    filed = crew.leader.update("expedition", rescue.id, {"status": "filed", "stage": "out"})
    assert (filed["status_type"], filed["stage"]) == ("done", "out")


def test_derived_fields_and_rollups(crew: Crew) -> None:
    account = crew.system.create("account", {"name": "Patron & Sons", "patron_no": "P-77"})
    sponsors = [{"id": account.id, "part": "patron", "share": 30}]
    lines = [{"kind": "blood", "weight": "1.25"}, {"kind": "bone", "weight": 4}]
    made = crew.specimen(crew.system, worth="10 EUR", sponsors=sponsors, lines=lines)
    made = crew.system.read("specimen", made.id)
    assert str(made["price"].amount) == "20.00"
    assert (made["sample_weight"], made["samples_n"], made["patrons"], made["shares"]) == (
        pytest.approx(1.25),
        2,
        1,
        30,
    )
    assert (made["heaviest"], made["leader"].title) == (4, "Lea")


def test_deleting(crew: Crew) -> None:
    trip = crew.system.create("expedition", {"subject": "Deleted", "start": "2026-05-01T08:00:00Z"})
    camp = crew.system.create("camp", {"name": "Gone", "expedition": trip.id})
    made = crew.specimen(crew.system, expedition=trip.id, camp=camp.id)
    assert [code for _, code in faults(lambda: crew.system.delete("expedition", trip.id))] == ["restrict"]
    crew.system.delete("camp", camp.id)  # clear
    assert crew.system.read("specimen", made.id)["camp"] is None
    crew.system.delete("specimen", made.id)
    assert [code for _, code in faults(lambda: crew.system.delete("expedition", trip.id))] == [
        "restrict"
    ]  # the bin too
    crew.system.purge("specimen", made.id)
    crew.system.delete("expedition", trip.id)
    with pytest.raises(Missing):
        crew.system.read("expedition", trip.id)
    crew.system.restore("expedition", trip.id)
    assert crew.system.read("expedition", trip.id)["subject"] == "Deleted"


def test_who_may_do_what(crew: Crew) -> None:
    made = crew.specimen(finder_phone=None)
    with pytest.raises(Missing):
        crew.guest.read("specimen", made.id)
    crew.system.update("specimen", made.id, {"keeper": crew.guest.principal.id, "finder_phone": "+4930123456"})
    seen = crew.guest.read("specimen", made.id)
    with pytest.raises(Forbidden):
        crew.guest.update("specimen", made.id, {"beauty": 1})
    with pytest.raises(Forbidden):
        crew.guest.create("specimen", {"label": "x"})
    with pytest.raises(Forbidden):
        crew.leader.delete("expedition", crew.trip.id)
    assert seen["label"] == made["label"]
    assert "worth" not in crew.leader.readable_fields("specimen")
    assert crew.leader.read("specimen", made.id)["finder_phone"] != "+4930123456"
    foreign = crew.specimen(crew.system, found_by=None)
    with pytest.raises(Forbidden):
        crew.leader.update("specimen", foreign.id, {"beauty": 1})


def test_sql_words_are_entities(crew: Crew) -> None:
    table = crew.system.create(
        "table", {"name": "T", "from": "x", "select": True, "lines": [{"order": 1, "value": "1.5"}]}
    )
    group = crew.system.create("group", {"name": "G", "tables": [table.id]})
    crew.system.create("user_group", {"name": "U", "group": group.id, "users": [crew.guest.principal.id]})
    crew.system.create("select", {"name": "S", "table": table.id})
    read = crew.system.read("table", table.id)
    assert (read["where"], read["rows_total"]) == (7, pytest.approx(1.5))
    found = crew.system.list("table", columns=["name", "select"], where=["select and count(groups) = 1"])
    assert [row["name"] for row in found.rows] == ["T"]


def test_seed_and_demo_data(crew: Crew) -> None:
    leaf = crew.system.list("group", columns=["name", "parent.name"], where=["name == 'Leaf'"]).rows[0]
    assert leaf["parent.name"] == "Root"
    coral = crew.system.list("specimen", columns=["habitat", "expedition.client.name"], where=["label == 'Coral'"])
    assert [(row["habitat"], row["expedition.client.name"]) for row in coral.rows] == [("reef", "皇家学会")]


def test_any_link(crew: Crew) -> None:
    made = crew.specimen(crew.system, subject=None)
    account = crew.system.create("account", {"name": "Any"})
    made = crew.system.update(
        "specimen", made.id, {"subject": Ref("account", account.id), "anything": Ref("specimen", made.id)}
    )
    assert (
        crew.system.count("specimen", where=["subject.account.name == 'Any'"]).n == 1 or made["subject"].title == "Any"
    )
