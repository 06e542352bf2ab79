"""Two versions of a template over two tenants, one of which has changed things."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.packaging.vets import CARRIED, FIRST, MANIFEST, OWN, SECOND, packed

from trellis.config.layer import Layer, layer_from_files
from trellis.config.workspace import Workspace
from trellis.packaging.keys import SigningKey, make_key
from trellis.packaging.provision import system_store
from trellis.packaging.scenarios.playing import play_all
from trellis.packaging.store import NotInstalled, Store
from trellis.packaging.upgrading.applying import Refused, carry_out, write_own
from trellis.packaging.upgrading.planning import NoUpgrade, Upgrade, plan_upgrade, with_tests_of
from trellis.packaging.usage import uses
from trellis.storage.catalogue import BrokenConfiguration, Catalogue
from trellis.storage.plan import plan_revision
from trellis.storage.tenant import Tenant


def planned(catalogue: Catalogue, store: Store, slug: str, wanted: str = "", own: Layer | None = None) -> Upgrade:
    return plan_upgrade(catalogue, store.workspace, catalogue.get(slug), wanted, own)


def test_both_tenants_go_along_and_what_is_their_own_stays(
    store: Store, key: SigningKey, clinics: list[str], catalogue: Catalogue
) -> None:
    with pytest.raises(NoUpgrade, match=r"no version of vet is \^2: there is 1\.0\.0"):
        planned(catalogue, store, "plain-vet", "^2")
    assert planned(catalogue, store, "plain-vet").outcome == "nothing"

    store.install(packed("1.1.0", SECOND, key))
    plain = planned(catalogue, store, "plain-vet")
    assert (plain.old, plain.new, plain.outcome) == ("1.0.0", "1.1.0", "destroys")
    told = {str(change) for change in plain.changes}
    assert {
        "entity.animal.fields.breed is called race now",
        "entity.animal.fields.species.choices.cat is called feline now",
        "entity.animal.label: Animal → Patient",
        "entity.animal.fields.name.max_length: 60 → 80",
        "entity.animal.fields.colour",
        "entity.ward",
    } <= told
    assert (plain.touches, plain.mends, plain.problems) == ((), (), ())
    with pytest.raises(Refused):
        carry_out(catalogue, plain, "test")
    assert catalogue.entry("plain-vet").revision == 1
    tenant, failures = carry_out(catalogue, plain, "test", allow_destroy=True)
    assert (tenant.revision, failures) == (2, [])
    assert catalogue.revisions("plain-vet")[0].why == "Upgrade to vet 1.1.0"
    rex = first(tenant, "animal")
    assert (rex["race"], rex["species"]) == ("Collie", "feline")
    assert first(tenant, "ward")["name"] == "Quarantine"  # seed data of an entity that is new

    own = planned(catalogue, store, "own-vet")
    assert own.outcome == "destroys", own.problems
    touched = {(touch.why, touch.text) for touch in own.touches}
    assert touched == {
        ("both", "entity.animal.label: the template's Animal became Patient; the tenant's Pet stays"),
        ("both", "entity.animal.fields.name.max_length: the template's 60 became 80; the tenant's 50 stays"),
        ("added", touched_text(own, "added")),
    }
    assert "fields.weight" in touched_text(own, "added")
    text = own.own.text()["schemas/own.yaml"]
    assert text == CARRIED
    assert "race.label: 品种" in own.own.text()["i18n/zh-Hans.yaml"]
    assert "# ours" in own.own.text()["tenant.yaml"]
    live = catalogue.revision("own-vet", 1).layers[-1]
    tenant, _ = carry_out(catalogue, own, "test", allow_destroy=True)
    animal = tenant.model.entities["animal"]
    assert (str(animal.label), str(animal.fields["race"].label)) == ("Pet", "Kind of animal")
    assert animal.fields["race"].label.in_language("zh-Hans") == "品种"
    assert str(animal.fields["weight"].label) == "Kilos"
    assert first(tenant, "animal")["nick"] == "puss"
    folder = store.workspace.root / "tenants" / "own-vet"
    written, differing = write_own(store.workspace, own, live)
    assert (sorted(p.name for p in written), differing) == (["own.yaml", "zh-Hans.yaml"], [])
    assert (folder / "schemas" / "own.yaml").read_text("utf-8") == text
    assert planned(catalogue, store, "own-vet").outcome == "nothing"
    back = plan_revision(catalogue, "own-vet", 1)
    assert "Rename animal.race to animal.breed." in [step.text for step in back.steps]

    found = {use.slug: (use.template, use.wanted, use.version) for use in uses(catalogue)}
    assert found["own-vet"] == found["plain-vet"] == ("vet", "^1.0", "1.1.0")
    with pytest.raises(NotInstalled, match=r"vet 1\.1\.0 is in use: own-vet, plain-vet"):
        store.uninstall("vet", "1.1.0", uses(catalogue))
    assert store.uninstall("vet", "1.0.0", uses(catalogue)) == ["1.0.0"]
    assert list(store.workspace.versions("vet")) == ["1.1.0"]


def touched_text(upgrade: Upgrade, why: str) -> str:
    return next(touch.text for touch in upgrade.touches if touch.why == why)


def first(tenant: Tenant, entity: str) -> Mapping[str, object]:
    door = system_store(tenant)
    return door.list(entity, columns=list(tenant.model.entities[entity].fields)).rows[0]


def test_what_the_tenant_still_speaks_of_is_told_and_nothing_is_changed_until_it_is_mended(
    store: Store, key: SigningKey, clinic: Callable[[str], str], catalogue: Catalogue
) -> None:
    clinic("own-vet")
    gone = SECOND.replace("  chip: {type: text}\n", "")
    store.install(packed("2.0.0", gone, key))
    folder = store.workspace.root / "tenants" / "own-vet" / "schemas"
    (folder / "chips.yaml").write_text(
        "entity: keeper\nfields: {chips: {rollup: 'count(animals, not is_blank(chip))'}}\n", "utf-8"
    )
    own = store.workspace.tenant("own-vet")
    assert planned(catalogue, store, "own-vet", own=own).new == "1.0.0"  # ^1.0 does not take 2.0.0

    assert planned(catalogue, store, "own-vet", own=own).newer == "2.0.0"

    found = planned(catalogue, store, "own-vet", "2.0.0", own)
    assert found.outcome == "conflict"
    places = [(problem.code, problem.mark and problem.mark.file) for problem in found.problems]
    assert places == [("E402", "tenants/own-vet/schemas/chips.yaml")]
    assert "chip" in found.problems[0].message
    assert "template: vet ^2.0  # ours" in found.own.text()["tenant.yaml"]

    (folder / "chips.yaml").unlink()
    mended = store.workspace.tenant("own-vet")
    found = planned(catalogue, store, "own-vet", "^2", mended)
    assert found.outcome == "destroys"
    carry_out(catalogue, found, "test", allow_destroy=True)
    written, differing = write_own(store.workspace, found, mended)
    assert (sorted(path.name for path in written), differing) == (["own.yaml", "tenant.yaml", "zh-Hans.yaml"], [])
    assert {use.slug: use.wanted for use in uses(catalogue)}["own-vet"] == "^2.0"
    with pytest.raises(NoUpgrade, match=r"1\.0\.0 is older than 2\.0\.0"):
        planned(catalogue, store, "own-vet", "1.0.0")


def test_the_new_versions_scenarios_are_played_on_what_the_tenant_made_of_it(
    store: Store, key: SigningKey, clinic: Callable[[str], str], catalogue: Catalogue
) -> None:
    clinic("own-vet")
    store.install(packed("1.1.0", SECOND, key))
    found = planned(catalogue, store, "own-vet")
    assert [one.holds for one in play_all(catalogue, with_tests_of(found))] == [True]
    strict = OWN + "rules:\n  no-dogs: {check: 'species != \"dog\"', message: No dogs here.}\n"
    files = {**store.workspace.tenant("own-vet").files, "schemas/own.yaml": strict}
    found = planned(catalogue, store, "own-vet", own=layer_from_files("tenants/own-vet", files, "tenants/own-vet"))
    (played,) = play_all(catalogue, with_tests_of(found))
    assert not played.holds
    assert "No dogs here" in str(played.findings)


def test_rows_that_do_not_fit_keep_the_new_version_away(
    store: Store, key: SigningKey, clinic: Callable[[str], str], catalogue: Catalogue
) -> None:
    clinic("plain-vet")
    store.install(packed("1.2.0", FIRST.replace("chip: {type: text}", "chip: {type: integer}"), key))
    door = system_store(catalogue.get("plain-vet"))
    door.create("animal", {"name": "Ada", "chip": "none"})
    found = planned(catalogue, store, "plain-vet")
    assert found.outcome == "rows"
    with pytest.raises(Refused):
        carry_out(catalogue, found, "test")


def test_what_the_store_does_not_take(store: Store, key: SigningKey, tmp_path: Path, catalogue: Catalogue) -> None:
    stranger = make_key(tmp_path / "stranger.key", "Paws & Co")
    with pytest.raises(NotInstalled, match="“Paws & Co”, whose key is not trusted here"):
        store.install(packed("1.0.0", FIRST, stranger))
    with pytest.raises(NotInstalled, match=r"vet 1\.0\.0 builds on clinic, which is not here"):
        store.install(packed("1.0.0", FIRST, key, extra="builds_on: clinic\n"))
    with pytest.raises(BrokenConfiguration, match=r"vet requires the core \^9; 1\.0\.0 is here"):
        store.install(packed("1.0.0", FIRST, key, old='core: "^1"', new='core: "^9"'))
    with pytest.raises(BrokenConfiguration, match="unknown field 'race'"):
        store.install(packed("1.0.0", FIRST.replace("columns: [name, breed", "columns: [name, race"), key))
    assert store.list() == []
    store.install(packed("1.0.0", FIRST, stranger), trust=True)
    store.install(packed("1.0.0", FIRST, stranger))  # the same once more does no harm
    with pytest.raises(NotInstalled, match="installed already, with another content"):
        store.install(packed("1.0.0", SECOND, key))
    assert [(one.name, one.version, one.signer) for one in store.list()] == [("vet", "1.0.0", stranger.public)]
    assert [path.name for path in store.folder.iterdir() if path.name.startswith(".new")] == []


def test_a_tenant_gets_the_newest_version_that_it_takes(store: Store, key: SigningKey) -> None:
    for version in ("1.0.0", "1.9.0", "1.10.0", "2.0.0-beta", "2.0.0"):
        store.install(packed(version, FIRST, key))
    find = store.workspace.template
    assert [find("vet", wanted).folder for wanted in ("", "^1", "~1.9.0", "2.0.0-beta", "<1.9")] == [
        f"templates/vet@{version}" for version in ("2.0.0", "1.10.0", "1.9.0", "2.0.0-beta", "1.0.0")
    ]
    mine = store.workspace.root / "templates" / "vet"
    mine.mkdir()
    (mine / "template.yaml").write_text(MANIFEST.format(version="1.10.0"), "utf-8")
    assert find("vet", "^1").folder.endswith("templates/vet")  # somebody is at work on this one
    assert find("vet").folder == "templates/vet@2.0.0"
    with pytest.raises(NotInstalled, match="was not installed"):
        Store(Workspace(store.workspace.root, store.folder / "none")).uninstall("vet", "", [])
