"""Imports: outcomes that add up, links by what people know, nothing changed by doing it again."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from tests.records.transfer.samples import YAML

from trellis.formula.types import Money
from trellis.model.view import Sort
from trellis.records.principal import Principal
from trellis.records.refusal import Forbidden
from trellis.records.store import Store
from trellis.records.transfer import (
    BadMapping,
    ImportMap,
    ImportSummary,
    RowOutcome,
    export_csv,
    import_table,
    read_mapping,
    read_table,
)
from trellis.storage.tenant import Tenant

ACCOUNTS = "Company,code,site\nAcme,A-1,west\nGlobex,A-2,east\n"
PEOPLE = """name,E-mail,account,born,level,worth,friends,about
Ann Lee,ann@example.com,A-1,1990-02-03,Very high,12.50 EUR,,account:A-2
Bob,bob@example.com,A-2,,,,,
Cy,cy@example.com,,,,,ann@example.com; bob@example.com,person:bob@example.com
"""


def run(
    store: Store, entity: str, text: str, given: ImportMap | None = None, **kw: bool
) -> tuple[ImportSummary, list[RowOutcome]]:
    outcomes: list[RowOutcome] = []
    summary = import_table(store, entity, read_table(text), given, on_outcome=outcomes.append, **kw)
    assert summary.rows == len(outcomes)
    return summary, outcomes


def values(store: Store, entity: str, *columns: str) -> list[tuple[object, ...]]:
    page = store.list(entity, columns=columns, sort=[Sort(columns[0])])
    return [tuple(row[c] for c in columns) for row in page.rows]


def test_rows_become_records_and_doing_it_again_changes_nothing(store: Store) -> None:
    assert run(store, "account", ACCOUNTS)[0].counts == {"created": 2}
    # The last row names the others: they are there by the time it is taken again.
    first, outcomes = run(store, "person", PEOPLE + "Di,d@example.com,,,,,nobody@example.com,\n")
    assert first.counts == {"created": 3, "failed": 1}
    assert outcomes[3].line == 5
    assert outcomes[3].message == "friends: “nobody@example.com” names no record."
    assert run(store, "person", PEOPLE)[0].counts == {"skipped": 3}
    ann, bob, cy = values(store, "person", "email", "account.name", "born", "level", "worth", "friends", "about")
    assert ann[1:4] == ("Acme", date(1990, 2, 3), "high")
    assert ann[4] is not None
    assert (ann[4].amount, ann[4].currency) == (Decimal("12.50"), "EUR")  # type: ignore[attr-defined]
    assert bob[3] == "low"
    assert len(cy[5]) == 2  # type: ignore[arg-type]


def test_changes_are_updates_and_blanks_are_left_alone(store: Store) -> None:
    run(store, "account", ACCOUNTS)
    text = "code,name,site\nA-1,Acme Ltd,\nA-2,Globex,east\n"
    assert run(store, "account", text)[0].counts == {"updated": 1, "skipped": 1}
    assert values(store, "account", "code", "name", "site") == [("A-1", "Acme Ltd", "west"), ("A-2", "Globex", "east")]
    assert run(store, "account", text, ImportMap(blank="clear"))[0].counts == {"updated": 1, "skipped": 1}
    assert values(store, "account", "code", "site")[0] == ("A-1", None)
    assert run(store, "account", "code,name\nA-1,Other\n", ImportMap(on_existing="skip"))[0].counts == {"skipped": 1}


def test_a_bad_row_loses_only_itself(store: Store) -> None:
    text = """name,email,size,born
Ann,ann@example.com,1,
Bob,bob@,1,
,c@example.com,1,
Di,d@example.com,2000,
Ed,e@example.com,x,soon
Fay,ann@example.com,2,
"""
    summary, outcomes = run(store, "person", text)
    assert [o.status for o in outcomes] == ["created", "failed", "failed", "failed", "failed", "updated"]
    assert outcomes[1].message == "email: “bob@” is not an e-mail address. Write it like name@example.com."
    assert "name" in outcomes[2].message
    assert "Too big" in outcomes[3].message
    assert "size" in outcomes[4].message
    assert "born" in outcomes[4].message
    assert summary.counts == Counter(created=1, failed=4, updated=1)
    assert [(n["first"], size) for n, size in values(store, "person", "name", "size")] == [("Fay", 2)]  # type: ignore[index]


def test_without_the_natural_key_another_unique_field_finds_the_record(store: Store) -> None:
    text = "name,site\nAcme,west\nGlobex,\n"
    assert run(store, "account", text)[0].counts == {"created": 2}
    assert run(store, "account", "name,site\nAcme,west\n")[0].counts == {"skipped": 1}
    assert run(store, "account", "name,site\nAcme & Sons,west\n")[0].counts == {"updated": 1}
    assert values(store, "account", "name", "site") == [("Acme & Sons", "west"), ("Globex", None)]


def test_a_dry_run_tells_and_changes_nothing(store: Store) -> None:
    summary, _ = run(store, "account", ACCOUNTS, dry_run=True)
    assert summary.counts == {"created": 2}
    assert store.count("account").n == 0


def test_links_are_found_by_a_field_of_their_target_and_by_id(store: Store) -> None:
    run(store, "account", ACCOUNTS)
    id = store.list("account", columns=["code"], where=['code == "A-2"']).rows[0].id
    text = "name,email,account.site\nAnn,a@example.com,west\nBob,b@example.com,north\n"
    _, outcomes = run(store, "person", text)
    assert [o.status for o in outcomes] == ["created", "failed"]
    assert run(store, "person", f"name,email,account\nCy,c@example.com,{id}\n")[0].counts == {"created": 1}
    assert run(store, "person", f"name,email,account.id\nCy,c@example.com,{id}\n")[0].counts == {"skipped": 1}
    assert values(store, "person", "email", "account.code") == [("a@example.com", "A-1"), ("c@example.com", "A-2")]


def test_a_mapping_renames_fills_in_and_speaks_a_language(store: Store) -> None:
    given = read_mapping(
        """
columns: {Kunde: email, Betrag: worth, Rest: null}
set: {name: "{Kunde} {row}", level: high}
match: [email]
language: de
delimiter: semicolon
""",
        "map.yaml",
    )
    text = "Kunde;Betrag;Rest;born\na@example.com;1.234,5;x;3.2.2026\n"
    assert run(store, "person", text, given)[0].counts == {"created": 1}
    [(name, worth, level, born)] = values(store, "person", "name", "worth", "level", "born")
    assert name == {"first": "a@example.com", "last": "2"}
    assert (worth.amount, level, born) == (Decimal("1234.50"), "high", date(2026, 2, 3))  # type: ignore[attr-defined]
    assert run(store, "person", text, given)[0].counts == {"skipped": 1}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("columns: [a]", "expected a mapping"),
        ("colums: {}", "did you mean 'columns'"),
        ("blank: maybe", "keep or clear"),
        ("delimiter: ab", "one character"),
        ("[a]", "expected a mapping"),
        ("a: [", "map.yaml:2"),
    ],
)
def test_a_mapping_that_is_wrong_says_why(text: str, problem: str) -> None:
    with pytest.raises(BadMapping, match=problem):
        read_mapping(text, "map.yaml")


def test_a_header_that_does_not_fit_is_refused_before_anything_is_written(store: Store) -> None:
    with pytest.raises(BadMapping) as refusal:
        run(store, "person", "name,emial,account.sit,level,Level\nAnn,,,,\n", ImportMap(match=("phone",)))
    assert refusal.value.problems == (
        "column 'emial': person has no field 'emial' (did you mean 'email'?)",
        "column 'account.sit': person has no field 'account.sit' (did you mean 'account'?)",
        "match: no column gives the field 'phone'",
        "two columns give the field 'level'",
    )


EVERYTHING = {
    "name": {"first": "Ann", "middle": "von", "last": "Berg Hof"},
    "email": "z@example.com",
    "phone": "030 901820",
    "born": "1990-02-03",
    "topics": ["a", "c"],
    "words": ["x, y"],
    "lines": ["1", "2; 3"],
    "worth": "5 KWD",
    "share": "12.5",
    "size": "0.1",
    "count": -3,
    "stars": 4,
    "yes": False,
    "seen": "2026-03-02T09:00:00.5Z",
    "wakes": "14:30",
    "takes": "2h 30m",
    "home": {"street": "Domplatz 1", "city": "Köln", "country": "DE"},
    "place": "50.94, 6.96",
    "note": "-a\n\n=b",
    "data": {"a": [1, None]},
    "shade": "red",
    "site": "example.com",
}


def test_an_export_comes_back_as_it_was(store: Store, make_tenant: Callable[..., Tenant]) -> None:
    run(store, "account", ACCOUNTS)
    run(store, "account", "name,code,parent\n=cmd|calc,A-3,A-1\n")
    run(store, "person", PEOPLE)
    store.create("person", EVERYTHING)
    other = Store(make_tenant(YAML), store.principal)
    for entity, rows in (("account", 3), ("person", 4)):
        text = export(store, entity)
        assert "\r\n" in text
        assert ",=cmd" not in text
        summary, outcomes = run(store, entity, text)
        assert [o.message for o in outcomes if o.message] == []
        assert summary.counts == {"skipped": rows}
        assert run(other, entity, text)[0].counts == {"created": rows}
        assert export(other, entity) == text


def export(store: Store, entity: str) -> str:
    out = io.StringIO()
    columns = [f for f in store.tenant.model.entities[entity].fields if f not in ("created_at", "updated_at")]
    export_csv(store, entity, out, columns=columns, sort=[Sort("id")])
    return out.getvalue()


def test_money_and_columns_and_labels_are_exported(store: Store) -> None:
    store.create("person", {"name": "Ann", "email": "a@example.com", "worth": Money(Decimal("5"), "JPY"), "count": 2})
    out = io.StringIO()
    export_csv(store, "person", out, columns=["email", "worth", "twice"], labels=True)
    assert out.getvalue() == "E-mail,Worth,Twice\r\na@example.com,5 JPY,4\r\n"


def test_only_who_may_imports_and_exports(store: Store) -> None:
    nobody = Store(store.tenant, Principal(reader=store.principal.reader, name="Nobody"))
    with pytest.raises(Forbidden):
        run(nobody, "account", ACCOUNTS)
    with pytest.raises(Forbidden):
        export_csv(nobody, "account", io.StringIO())
