"""Every kind of derived field of every type: shown, sorted, filtered, grouped, searched, exported, used in formulas."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import Any

import pytest
from tests.conftest import layers_of

from trellis.formula.reader import Reader
from trellis.formula.types import Ref
from trellis.model.view import Sort
from trellis.records.principal import Principal
from trellis.records.store import Store
from trellis.records.transfer.exporter import export_csv

VALUES: dict[str, tuple[str, Any]] = {
    "text": ("", "Pomegranate"),
    "long_text": ("", "A *long* quince"),
    "email": ("", "ann@medlar.example"),
    "phone": ("", "+4930901820"),
    "url": ("", "https://damson.example/"),
    "barcode": ("", "4006381333931"),
    "color": ("", "#aabbcc"),
    "list": ("", ["one", "two"]),
    "tags": ("", ["red", "blue"]),
    "integer": ("", 7),
    "decimal": (", scale: 3", Decimal("2.125")),
    "percent": ("", 12),
    "rating": ("", 4),
    "money": ("", {"amount": "9.99", "currency": "EUR"}),
    "duration": ("", "90 min"),
    "date": ("", "2026-05-01"),
    "datetime": ("", "2026-05-01T10:00:00Z"),
    "time": ("", "10:30"),
    "boolean": ("", True),
    "choice": (", choices: [low, {high: {label: Tall}}]", "high"),
    "choices": (", choices: [low, high]", ["low", "high"]),
    "name": ("", {"first": "Ann", "last": "Lee"}),
    "address": ("", {"street": "Hauptstraße 1", "city": "Kiel", "country": "DE"}),
    "location": ("", {"latitude": 54.3, "longitude": 10.1}),
    "json": ("", {"a": 1}),
    "link": (", to: crop", None),
    "any_link": (", to: [crop, bed]", None),
}
SEARCHED = ("text", "long_text", "email", "barcode", "url", "link")
UNSORTED = {"long_text", "list", "tags", "choices", "location", "json"}


def yaml() -> str:
    fields = "\n".join(f"  f_{t}: {{type: {t}{options}}}" for t, (options, _) in VALUES.items())
    search = {t: ", search: true" if t in SEARCHED else "" for t in VALUES}
    looked = "\n".join(f"  lookup_{t}: {{lookup: bed.field.f_{t}{search[t]}}}" for t in VALUES)
    formed = "\n".join(
        f"  formula_{t}: {{type: {t}{VALUES[t][0]}, formula: 'if(is_blank(bed), blank, bed.field.f_{t})'{search[t]}}}"
        for t in VALUES
        if simple(t)
    )
    rolled = "\n".join(f"  rollup_{t}: {{rollup: last(plants.lookup_{t}){search[t]}}}" for t in VALUES)
    inner = "\n".join(f"  is_{t}: {{type: boolean, formula: 'not is_blank(lookup_{t})'}}" for t in VALUES)
    return f"""
entity: crop
title: name
fields: {{name: {{type: text, search: true}}}}
---
entity: field
title: name
fields:
  name: {{type: text}}
{fields}
---
entity: bed
title: name
fields:
  name: {{type: text}}
  field: {{type: link, to: field, inverse: beds}}
{rolled}
---
entity: plant
title: name
fields:
  name: {{type: text}}
  bed: {{type: link, to: bed, inverse: plants}}
{looked}
{formed}
{inner}
"""


def simple(type: str) -> bool:
    """What `if` can give."""
    return type not in ("json",)


KINDS = [("plant", "lookup"), ("plant", "formula"), ("bed", "rollup")]
CASES = [(e, k, t) for e, k in KINDS for t in VALUES if k != "formula" or simple(t)]


@pytest.fixture(scope="module")
def garden(catalogue):
    tenant = catalogue.create("derived-types", layers_of(yaml(), "derived-types"), "test")
    store = Store(tenant, Principal.system(Reader()))
    crop = store.create("crop", {"name": "Loganberry"})
    values = {f"f_{t}": value for t, (_, value) in VALUES.items() if value is not None}
    values |= {"f_link": crop.id, "f_any_link": Ref("crop", crop.id)}
    field = store.create("field", {"name": "South", **values})
    for name, of in (("full", field.id), ("bare", store.create("field", {"name": "North"}).id)):
        bed = store.create("bed", {"name": name, "field": of})
        store.create("plant", {"name": name, "bed": bed.id})
    yield store, field
    catalogue.drop("derived-types")


@pytest.mark.parametrize(("entity", "kind", "type"), CASES)
def test_every_type_is_derived_in_every_way(garden, entity, kind, type):
    store, field = garden
    name = f"{kind}_{type}"
    expected = store.read("field", field.id)[f"f_{type}"]
    definition = store.tenant.model.entities[entity].fields[name]
    assert expected is not None
    rows = {r["name"]: r for r in store.list(entity, columns=["name", name]).rows}
    assert rows["full"][name] == expected
    assert rows["bare"][name] in (None, ())
    one = store.read(entity, rows["full"].id)
    assert one[name] == expected
    shown = definition.type.display(one[name], store.session.reader)
    assert shown == store.tenant.model.entities["field"].fields[f"f_{type}"].type.display(
        expected, store.session.reader
    )
    assert filtered(store, entity, f"not is_blank({name})") == ["full"]
    assert filtered(store, entity, f"is_blank({name})") == ["bare"]
    if definition.type.can_sort:
        for descending, first in ((False, "full"), (True, "full")):  # blanks are last, whichever way
            found = store.list(entity, columns=["name"], sort=[Sort(name, descending=descending)], limit=1)
            assert found.rows[0]["name"] == first
            rest = store.list(entity, columns=["name"], sort=[Sort(name, descending=descending)], cursor=found.next)
            assert [r["name"] for r in rest.rows] == ["bare"]
    else:
        assert type in UNSORTED
    if definition.type.can_group:
        groups = {g.value: g.count for g in store.groups(entity, name)}
        assert groups == {expected: 1, None: 1}
    out = io.StringIO()
    export_csv(store, entity, out, columns=["name", name], sort=[Sort("name")])
    bare, full = list(csv.reader(io.StringIO(out.getvalue())))[1:]
    assert full[1]
    assert not bare[1]


def filtered(store: Store, entity: str, where: str) -> list[str]:
    return sorted(r["name"] for r in store.list(entity, columns=["name"], where=[where]).rows)


@pytest.mark.parametrize("type", VALUES)
def test_derived_fields_stand_in_other_formulas(garden, type):
    store, _ = garden
    rows = {r["name"]: r[f"is_{type}"] for r in store.list("plant", columns=["name", f"is_{type}"]).rows}
    assert rows == {"full": True, "bare": False}
    assert filtered(store, "plant", f"is_{type}") == ["full"]
    assert filtered(store, "field", f"not is_blank(last(beds.rollup_{type}))") == ["South"]


@pytest.mark.parametrize("total", ["sum", "avg", "min", "max", "count"])
def test_totals_of_derived_fields(garden, total):
    store, _ = garden
    for entity, kind in KINDS:
        wanted = {f"{kind}_{t}": total for t in ("money", "decimal", "integer")}
        found = store.totals(entity, wanted)
        assert all(value is not None for value in found.values())
        groups = store.groups(entity, f"{kind}_choice", totals=wanted)
        assert [g.value for g in groups if g.value] == ["high"]
        assert {g.value: g.totals for g in groups}["high"] == found


@pytest.mark.parametrize(("entity", "kind"), KINDS)
def test_a_searched_text_is_found_and_stays_true(garden, entity, kind):
    store, field = garden
    asked = {
        "text": "pomegran",
        "long_text": "quince",
        "email": "medlar",
        "barcode": "4006381",
        "url": "damson",
        "link": "loganb",
    }
    for words in asked.values():
        assert [r["name"] for r in store.list(entity, columns=["name"], q=words).rows] == ["full"], words
    try:
        store.update("field", field.id, {"f_text": "Sorghum"})
        store.update("crop", store.read("field", field.id)["f_link"].id, {"name": "Amaranth"})
        for words, expected in (("sorghum", ["full"]), ("pomegran", []), ("amaranth", ["full"]), ("loganb", [])):
            assert [r["name"] for r in store.list(entity, columns=["name"], q=words).rows] == expected, words
    finally:
        store.update("field", field.id, {"f_text": "Pomegranate"})
        store.update("crop", store.read("field", field.id)["f_link"].id, {"name": "Loganberry"})
