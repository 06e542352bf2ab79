"""Drafts: everybody's own, nothing overwritten without a word, and what happens when a colleague publishes first."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from tests.conftest import layers_of

from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant
from trellis.studio import planning
from trellis.studio.checking import check, is_sound
from trellis.studio.draft import Draft, Outdated, discard, others, read_draft, rebase, replacing, save, save_all
from trellis.studio.merging import conflicts, merge, settle
from trellis.studio.own import BadPath, clean_path
from trellis.studio.taking_back import taken_back

FIRST = "entity: account\nlabel: Account\nfields:\n  name: {type: text, required: true}\n"
FILES = {"schemas/account.yaml": FIRST, "schemas/note.yaml": "# notes come later\n"}


@pytest.fixture(scope="module")
def company(catalogue: Catalogue) -> Iterator[Tenant]:
    yield catalogue.create("studio-drafts", layers_of(FILES, "studio-drafts"), "test")
    catalogue.drop("studio-drafts")


@pytest.fixture
def anna() -> uuid.UUID:
    return uuid.uuid4()


def draft_of(catalogue: Catalogue, company: Tenant, person: uuid.UUID) -> Draft:
    return read_draft(catalogue, company, person)


def put_live(catalogue: Catalogue, files: dict[str, str], why: str, *, origin: str = "studio") -> None:
    """What somebody publishes, in the browser or from files."""
    slug = "studio-drafts"
    layers = layers_of(files, slug)
    planned = planning.plan_layers(catalogue, slug, layers)
    if origin == "studio":
        planning.publish(catalogue, planned, "Ingrid", why, allow_destroy=True)
    else:
        from trellis.storage.apply import apply

        apply(catalogue, planned, "root", why, allow_destroy=True)


def test_a_change_is_kept_and_taken_back_when_it_says_what_is_live(catalogue: Any, company: Any, anna: Any) -> None:
    draft = save(company, draft_of(catalogue, company, anna), anna, "schemas/note.yaml", "# later\n", version=0)
    assert draft.changes["schemas/note.yaml"].version == 1
    kept = draft_of(catalogue, company, anna)
    assert kept.files["schemas/note.yaml"] == "# later\n"
    assert [person for person, _files, _at in others(company, uuid.uuid4())].count(anna) == 1
    assert draft_of(catalogue, company, uuid.uuid4()).is_empty  # a colleague's is another one
    save(company, kept, anna, "schemas/note.yaml", FILES["schemas/note.yaml"], version=1)
    assert draft_of(catalogue, company, anna).is_empty


def test_two_windows_of_one_person_do_not_overwrite_each_other(catalogue: Any, company: Any, anna: Any) -> None:
    one = draft_of(catalogue, company, anna)
    other = draft_of(catalogue, company, anna)
    save(company, one, anna, "schemas/note.yaml", "# one\n", version=0)
    with pytest.raises(Outdated) as first:
        save(company, other, anna, "schemas/note.yaml", "# other\n", version=0)
    assert first.value.change is not None
    assert first.value.change.text == "# one\n"
    with pytest.raises(Outdated):
        save(company, draft_of(catalogue, company, anna), anna, "schemas/note.yaml", "# other\n", version=7)
    discard(company, anna)


def test_what_a_colleague_published_is_merged_line_by_line(catalogue: Any, company: Any, anna: Any) -> None:
    mine = FIRST + "  size: {type: integer}\n"
    save_all(company, draft_of(catalogue, company, anna), anna, {"schemas/account.yaml": mine})
    theirs = FIRST.replace("label: Account", "label: Customer")
    put_live(catalogue, {**FILES, "schemas/account.yaml": theirs}, "Customers")
    draft = draft_of(catalogue, company, anna)
    assert [c.path for c in draft.stale] == ["schemas/account.yaml"]
    change = draft.stale[0]
    parts = merge(change.base, change.text, theirs)
    assert not conflicts(parts)
    rebase(company, anna, change, settle(parts, {}), theirs, draft.live.number)
    draft = draft_of(catalogue, company, anna)
    assert not draft.stale
    assert draft.files["schemas/account.yaml"] == theirs + "  size: {type: integer}\n"
    assert is_sound(check(draft.layers, draft.slug)[1])
    discard(company, anna)
    put_live(catalogue, FILES, "Back again")


def test_files_on_disk_do_not_take_back_what_was_published_in_the_browser(catalogue: Any, company: Any) -> None:
    slug = company.slug
    put_live(catalogue, FILES, "From files", origin="files")
    published = {**FILES, "schemas/account.yaml": FIRST + "  size: {type: integer}\n"}
    put_live(catalogue, published, "Sizes")
    found = taken_back(catalogue, slug, layers_of(FILES, slug))
    assert [(one.path, one.documents, one.who, one.why) for one in found] == [
        ("schemas/account.yaml", ("entity.account",), "Ingrid", "Sizes")
    ]
    # the same, and the same with more, take nothing back; nor does a file that the browser did not touch
    further = {**published, "schemas/note.yaml": "# other\n"}
    further["schemas/account.yaml"] = further["schemas/account.yaml"].replace("label: Account", "label: Customer")
    assert taken_back(catalogue, slug, layers_of(published, slug)) == []
    assert taken_back(catalogue, slug, layers_of(further, slug)) == []
    put_live(catalogue, further, "From files", origin="files")
    assert taken_back(catalogue, slug, layers_of(FILES, slug)) == []  # the files knew of it: it is their change


def test_applying_what_is_live_again_does_not_make_it_a_change_of_files(catalogue: Any, company: Any) -> None:
    published = {**FILES, "schemas/note.yaml": "# written in the browser\n"}
    put_live(catalogue, published, "A note")
    put_live(catalogue, published, "Repair", origin="files")
    assert [r.origin for r in catalogue.revisions(company.slug)[:2]] == ["studio", "studio"]
    assert taken_back(catalogue, company.slug, layers_of(FILES, company.slug))


@pytest.mark.parametrize(
    ("mine", "theirs", "choice", "wanted"),
    [
        ("a\nX\nc\n", "a\nY\nc\n", "mine", "a\nX\nc\n"),
        ("a\nX\nc\n", "a\nY\nc\n", "theirs", "a\nY\nc\n"),
        ("a\nX\nc\n", "a\nY\nc\n", "both", "a\nY\nX\nc\n"),
        ("a\nb\nc\nd\n", "0\na\nb\nc\n", "mine", "0\na\nb\nc\nd\n"),
        (None, "a\nY\nc\n", "theirs", "a\nY\nc\n"),
    ],
)
def test_where_both_changed_the_same_lines_a_person_chooses(mine: Any, theirs: str, choice: str, wanted: str) -> None:
    assert settle(merge("a\nb\nc\n", mine, theirs), {0: choice}) == wanted


@pytest.mark.parametrize(
    "path",
    ["../x.yaml", "schemas/../../x.yaml", "/etc/passwd", "schemas/x.txt", "data/x.csv", "schemas", "schemas/.x.yaml",
     "schemas/a\x00.yaml", "schemas//x.yaml", "schemas/" + "x" * 200 + ".yaml", "a/b/c/d/e/f/g.yaml", ""],
)  # fmt: skip
def test_only_files_of_a_layer_are_kept(path: str) -> None:
    with pytest.raises(BadPath):
        clean_path(path)
    assert clean_path("workflows\\sales\\win back.yaml") == "workflows/sales/win back.yaml"


def test_the_company_keeps_its_name_and_its_manifest(catalogue: Any, company: Any, anna: Any) -> None:
    draft = draft_of(catalogue, company, anna)
    with pytest.raises(BadPath):
        save(company, draft, anna, "tenant.yaml", None, version=0)
    for text in ("tenant: other\nlabel: X\n", "", "entity: x\n"):
        problems = check(draft.with_file("tenant.yaml", text).layers, draft.slug)[1]
        assert not is_sound(problems), text
    assert replacing(draft, {"tenant.yaml": "x"})["schemas/account.yaml"] is None
