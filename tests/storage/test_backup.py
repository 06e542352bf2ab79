"""A backup is one file, and becomes a tenant again, under any name."""

from __future__ import annotations

import json
import zipfile

import pytest
import sqlalchemy as sa
from tests.web.frame_tenants import YAML, add_person, app_of, sign_in

from trellis.packaging.provision import system_store
from trellis.storage.backup import BackupUnusable, back_up, read_manifest, restore
from trellis.storage.catalogue import NoSuchTenant, TenantExists
from trellis.storage.plan import plan


@pytest.fixture
def filled(tenant):
    """A tenant with two linked records, a history entry and an ab_ role."""
    with tenant.begin() as connection:
        insert = "INSERT INTO account (id, name) VALUES (gen_random_uuid(), %s) RETURNING id"
        id = connection.exec_driver_sql(insert, ("Ümläut\t\\ & 北京\n",)).scalar()
        connection.exec_driver_sql(
            "INSERT INTO deal (id, name, account) VALUES (gen_random_uuid(), 'Pilot', %s)", (id,)
        )
        history = tenant.tables.platform.history
        row = {"entity": "account", "record": id, "kind": "create", "means": "page", "changes": [["name", None, "x"]]}
        connection.execute(sa.insert(history).values(**row))
        connection.exec_driver_sql("INSERT INTO ab_group (id, name) VALUES (7, 'x')")
    return tenant


@pytest.fixture
def files(tmp_path, filled):
    """A file store with one file of the tenant's."""
    path = tmp_path / "files" / filled.slug / "ab" / "abc"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"content")
    return tmp_path / "files"


@pytest.fixture
def restored(catalogue):
    """The names of tenants that a test restores; dropped afterwards."""
    names: list[str] = []
    yield names
    for name in names:
        catalogue.drop(name)


def test_restored_under_another_name(catalogue, filled, files, tmp_path, restored):
    target = tmp_path / "backup.zip"
    made = back_up(catalogue, filled.slug, target, files)
    assert (made.tenant, made.files) == (filled.slug, 1)
    restored.append("copy")
    copy = restore(catalogue, target, "anna", files, slug="copy")
    assert (copy.slug, copy.status, copy.revision, copy.profile.key) == ("copy", "active", 2, "copy")
    assert copy.model.entities.keys() == filled.model.entities.keys()
    with copy.begin() as connection:
        joined = "SELECT d.name, a.name FROM deal d JOIN account a ON a.id = d.account"
        assert connection.exec_driver_sql(joined).one() == ("Pilot", "Ümläut\t\\ & 北京\n")
        assert connection.exec_driver_sql("SELECT changes FROM _history").scalar() == [["name", None, "x"]]
        row = {"entity": "account", "record": sa.text("gen_random_uuid()"), "kind": "create", "means": "page"}
        connection.execute(sa.insert(copy.tables.platform.history).values(**row))
        assert connection.exec_driver_sql("SELECT nextval('ab_group_id_seq')").scalar() == 8
    assert (files / "copy" / "ab" / "abc").read_bytes() == b"content"
    assert [r.number for r in catalogue.revisions("copy")] == [2, 1]
    assert catalogue.get("copy").revision == 2


def test_a_name_that_is_taken_is_refused(catalogue, filled, files, tmp_path):
    target = tmp_path / "backup.zip"
    back_up(catalogue, filled.slug, target, files)
    with pytest.raises(TenantExists):
        restore(catalogue, target, "anna", files)


def test_a_column_that_is_no_more_is_left_out(catalogue, filled, files, tmp_path, restored):
    target = tmp_path / "backup.zip"
    schema = filled.schema
    with filled.database.engine.begin() as connection:
        connection.exec_driver_sql(f"""ALTER TABLE "{schema}".account ADD COLUMN "of old" text DEFAULT 'x'""")
    back_up(catalogue, filled.slug, target, files)
    restored.append("copy")
    copy = restore(catalogue, target, "anna", files, slug="copy")
    with copy.begin() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM account").scalar() == 1


def test_broken_data_leaves_nothing_behind(catalogue, filled, files, tmp_path):
    good, bad = tmp_path / "good.zip", tmp_path / "bad.zip"
    back_up(catalogue, filled.slug, good, files)
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(bad, "w") as target:
        for name in source.namelist():
            target.writestr(name, b"nonsense" if name == "data/account" else source.read(name))
    with pytest.raises(Exception, match="account"):
        restore(catalogue, bad, "anna", files, slug="copy")
    with pytest.raises(NoSuchTenant):
        catalogue.entry("copy")
    assert not (files / "copy").exists()


def test_files_may_not_lead_out_of_the_folder(catalogue, filled, files, tmp_path, restored):
    target = tmp_path / "backup.zip"
    back_up(catalogue, filled.slug, target, files)
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr("files/../../escaped", b"x")
    restored.append("copy")
    restore(catalogue, target, "anna", files, slug="copy")
    assert not list(tmp_path.rglob("escaped"))


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip at all"])
def test_what_is_no_backup_is_refused(tmp_path, content):
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    with pytest.raises(BackupUnusable, match="is no backup"):
        read_manifest(path)


def test_a_later_format_is_refused(tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("manifest.json", json.dumps({"format": 99, "version": "9.0.0"}))
    with pytest.raises(BackupUnusable, match=r"9\.0\.0"):
        read_manifest(path)


def test_people_sign_in_to_a_restored_copy_and_ids_stay(catalogue, make_tenant, tmp_path, restored):
    shop = make_tenant(YAML, slug="corner")
    person = add_person(shop, "anna@x.example", "admin")
    files = tmp_path / "files"
    files.mkdir()
    back_up(catalogue, "corner", tmp_path / "shop.zip", files)
    restored.append("corner-two")
    copy = restore(catalogue, tmp_path / "shop.zip", "test", files, slug="corner-two")
    assert sign_in(app_of(copy, tmp_path).test_client(), "anna@x.example").status_code == 302
    assert system_store(copy).read("user", person)["email"] == "anna@x.example"
    layers = catalogue.revision("corner-two", copy.revision).layers
    assert plan(copy, layers).is_empty
    assert system_store(copy).create("account", {"name": "Acme"}).id  # the copy's own revision is the live one
