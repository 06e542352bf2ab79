"""Stacking: what a later layer changes, adds to, removes, and may not touch."""

from __future__ import annotations

import textwrap

import pytest

from trellis.config.layer import layer_from_files
from trellis.config.stack import Configuration, stack


def stacked(*texts: str) -> Configuration:
    names = ["core", "templates/retail", "tenants/acme"]
    return stack(
        [
            layer_from_files(n, {"schemas/a.yaml": textwrap.dedent(t)}, "" if n == "core" else n)
            for n, t in zip(names, texts, strict=False)
        ]
    )


def merged(*texts: str) -> dict:
    configuration = stacked(*texts)
    assert configuration.problems == []
    return dict(configuration.of("entity")["deal"].data)


BASE = """
    entity: deal
    label: Deal
    fields:
      name: {type: text, required: true}
      priority: {type: choice, choices: [low, {high: {color: red}}]}
    views:
      open: {columns: [name, amount, owner]}
"""


def test_scalars_replace_and_mappings_merge() -> None:
    data = merged(BASE, "entity: deal\nlabel: Opportunity\nfields: {name: {max_length: 80}, city: {type: text}}")
    assert data["label"] == "Opportunity"
    assert data["fields"]["name"] == {"type": "text", "required": True, "max_length": 80}
    assert list(data["fields"]) == ["name", "priority", "city"]


def test_null_removes() -> None:
    data = merged(BASE, "entity: deal\nfields: {priority: null, name: {required: null}}")
    assert data["fields"] == {"name": {"type": "text"}}


def test_a_list_replaces_the_list() -> None:
    assert merged(BASE, "entity: deal\nviews: {open: {columns: [name]}}")["views"]["open"]["columns"] == ["name"]


@pytest.mark.parametrize(
    ("edit", "columns"),
    [
        ("{add: [city]}", ["name", "amount", "owner", "city"]),
        ("{add: [city, zip], after: name}", ["name", "city", "zip", "amount", "owner"]),
        ("{add: city, before: amount}", ["name", "city", "amount", "owner"]),
        ("{remove: [amount]}", ["name", "owner"]),
        ("{add: [city], after: owner, remove: [name, amount]}", ["owner", "city"]),
        ("{edit: {amount: total}}", ["name", "total", "owner"]),
    ],
)
def test_list_edits(edit: str, columns: list[str]) -> None:
    data = merged(BASE, f"entity: deal\nviews: {{open: {{columns: {edit}}}}}")
    assert data["views"]["open"]["columns"] == columns


def test_list_items_are_edited_by_their_key() -> None:
    edit = "{edit: {high: {label: Urgent}, low: {color: gray}}, add: [{top: {color: pink}}]}"
    data = merged(BASE, f"entity: deal\nfields: {{priority: {{choices: {edit}}}}}")
    assert data["fields"]["priority"]["choices"] == [
        {"low": {"color": "gray"}},
        {"high": {"color": "red", "label": "Urgent"}},
        {"top": {"color": "pink"}},
    ]


def test_three_layers_in_order() -> None:
    data = merged(BASE, "entity: deal\nlabel: B\nplural: Bs", "entity: deal\nlabel: C")
    assert (data["label"], data["plural"]) == ("C", "Bs")


def test_replace_sets_the_earlier_aside() -> None:
    data = merged(BASE, "entity: deal\nreplace: true\nlabel: Mine")
    assert data == {"entity": "deal", "label": "Mine"}


def test_without_leaves_documents_out() -> None:
    configuration = stack(
        [
            layer_from_files("core", {"schemas/a.yaml": "entity: deal\n---\nentity: lead\n---\nreport: r"}),
            layer_from_files("t", {"template.yaml": "template: t\nversion: 1.0.0\nwithout: [entity.lead, report.r]"}),
        ]
    )
    assert list(configuration.of("entity")) == ["deal"]
    assert configuration.problems == []


def test_without_takes_along_what_is_said_about_an_entity() -> None:
    core = """
entity: deal
fields:
  name: {type: text}
  rivals: {type: links, to: rival}
  about: {type: any_link, to: [rival, lead]}
form: {basics: {fields: [name, {field: rivals, span: full}]}}
views: {all: {columns: [name, rivals], sort: [-rivals.name, name]}}
---
entity: rival
---
entity: rival_note
part_of: rival
---
pipeline: rivals
entity: rival
---
pipeline: deals
entity: deal
stages: {won: {type: won, require: [name, rivals], ask: [rivals]}}
---
role: rep
grants: {"*": {read: all}, rival: {read: own}}
---
menu: main
groups: {sales: {items: [deal, rival, rival.open, {report: rivals}]}}
---
report: rivals
entity: rival
---
report: wins
entity: deal
label: Wins by rivals
group: [name]
"""
    configuration = stack(
        [
            layer_from_files("core", {"schemas/a.yaml": core}),
            layer_from_files("t", {"template.yaml": "template: t\nversion: 1.0.0\nwithout: [entity.rival]"}),
        ]
    )
    assert configuration.problems == []
    assert configuration.lost == {"deal": {"rivals": 1}}
    assert list(configuration.of("entity")) == ["deal"]
    assert list(configuration.of("report")) == ["wins"]
    [(key, pipeline)] = configuration.of("pipeline").items()
    assert (key, pipeline.data["stages"]) == ("deals", {"won": {"type": "won", "require": ["name"], "ask": []}})
    deal = configuration.of("entity")["deal"].data
    assert deal["fields"] == {"name": {"type": "text"}, "about": {"type": "any_link", "to": ["lead"]}}
    assert deal["form"] == {"basics": {"fields": ["name"]}}
    assert deal["views"] == {"all": {"columns": ["name"], "sort": ["name"]}}
    assert configuration.of("role")["rep"].data["grants"] == {"*": {"read": "all"}}
    assert configuration.of("menu")["main"].data["groups"] == {"sales": {"items": ["deal"]}}


def test_builds_on_nothing_starts_anew() -> None:
    core = layer_from_files("core", {"schemas/a.yaml": "entity: deal\n---\nentity: user"})
    template = layer_from_files("t", {"template.yaml": "template: t\nversion: 1.0.0\nbuilds_on: nothing"})
    assert not {"deal"} & set(stack([core, template]).of("entity"))


def test_every_value_knows_where_it_came_from() -> None:
    configuration = stacked(BASE, "entity: deal\nfields: {name: {max_length: 80}}", "entity: deal\nlabel: C")
    place = configuration.of("entity")["deal"].place
    name = place.children["fields"].children["name"]
    assert str(name.children["type"].mark) == "schemas/a.yaml:5:16"
    assert str(name.children["max_length"].mark) == "templates/retail/schemas/a.yaml:2:29"
    assert place.children["label"].mark.layer == "tenants/acme"


PROBLEMS = {
    "twice in a layer": (
        ("entity: deal\n---\nentity: deal\n",),
        "schemas/a.yaml:3:1: E110 entity 'deal' is already written in schemas/a.yaml:1",
    ),
    "edit of nothing": (
        (BASE, "entity: deal\nviews: {new: {columns: {add: [x]}}}"),
        "templates/retail/schemas/a.yaml:2:15: E310 edits a list that no earlier layer gives",
    ),
    "edit of an unknown item": (
        (BASE, "entity: deal\nviews: {open: {columns: {remove: [amout]}}}"),
        "templates/retail/schemas/a.yaml:2:35: E310 the list has no 'amout'",
    ),
    "locked": (
        (
            "entity: deal\nfields: {amount: {type: money}}\nlocked: [fields.amount.type]",
            "entity: deal\nfields: {amount: {type: text}}",
        ),
        "templates/retail/schemas/a.yaml:2:19: E311 'fields.amount.type' is locked by core",
    ),
    "locked and removed": (
        (
            "entity: deal\nfields: {amount: {type: money}}\nlocked: [fields.amount.type]",
            "entity: deal\nfields: {amount: null}",
        ),
        "templates/retail/schemas/a.yaml:2:10: E311 'fields.amount.type' is locked by core",
    ),
    "locked and replaced": (
        ("entity: deal\nfields: {amount: {type: money}}\nlocked: [fields.amount.type]", "entity: deal\nreplace: true"),
        "templates/retail/schemas/a.yaml:2:1: E311 'fields.amount.type' is locked by core",
    ),
    "not a document": (("- a\n- b",), "schemas/a.yaml:1:1: E111 a document is a mapping whose first key is its kind"),
    "nothing left out": (
        (BASE, "template: t\nwithout: [entity.dael]"),
        "templates/retail/schemas/a.yaml:2:11: E312 no earlier layer has 'entity.dael'",
    ),
    "nothing to replace": (("entity: deal\nreplace: true",), "schemas/a.yaml:2:1: W601 there is nothing to replace"),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_what_cannot_be_stacked_is_told(name: str) -> None:
    texts, expected = PROBLEMS[name]
    problems = stacked(*texts).problems
    assert f"{problems[0].mark}: {problems[0].code} {problems[0].message}".startswith(expected)


def test_locked_leaves_the_rest_open() -> None:
    assert (
        stacked(
            "entity: deal\nfields: {amount: {type: money}}\nlocked: [fields.amount.type]",
            "entity: deal\nfields: {amount: {label: Sum}}",
        ).problems
        == []
    )


def test_translations_by_path_in_layer_order() -> None:
    configuration = stack(
        [
            layer_from_files(
                "a", {"i18n/de.yaml": "entity.deal.label: Geschäft\nentity:\n  deal: {plural: Geschäfte}"}
            ),
            layer_from_files("b", {"i18n/de.yaml": "entity.deal.label: Auftrag"}),
        ]
    )
    texts = {path: text for path, (text, _) in configuration.translations["de"].items()}
    assert texts == {"entity.deal.label": "Auftrag", "entity.deal.plural": "Geschäfte"}
