"""Files: what is taken, what is shown, and what may not run in our name."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from tests.security.world import World, make_keys, open_world

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(document.cookie)</script></svg>'
HTML = b"<!doctype html><script>alert(document.cookie)</script>"


@pytest.fixture(scope="module")
def world(catalogue: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = open_world(catalogue, tmp_path_factory.mktemp("files"), "security-files")
    make_keys(made)
    made.app.config["WTF_CSRF_ENABLED"] = False
    yield made
    for tenant in (made.tenant, made.other):
        catalogue.drop(tenant.slug)


def sent(world: World, content: bytes, name: str) -> Any:
    """The answer of the API to an upload by the owner."""
    return world.app.test_client().post(
        "/api/v1/account/files/scan",
        data={"file": (BytesIO(content), name)},
        headers={"Authorization": f"Bearer {world.keys['owner']}"},
    )


def shown(world: World, content: bytes, name: str) -> Any:
    """A file as the page gives it, from a record that holds it."""
    file = sent(world, content, name)
    assert file.status_code == 201, file.text
    made = world.app.test_client().post(
        "/api/v1/account",
        json={"name": f"Holds {name}", "scan": [file.json]},
        headers={"Authorization": f"Bearer {world.keys['owner']}"},
    )
    assert made.status_code == 201, made.text
    address = f"/e/account/{made.json['id']}/file/scan/{file.json['id']}"
    return world.client("owner").get(address, buffered=True)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (HTML, "photo.png"),
        (SVG, "photo.jpg"),
        (PNG, "offer.pdf"),
        (b"MZ\x90\0", "offer.pdf"),
        (b"MZ\x90\0", "offer.xyz"),
        (b"\x7fELF\2", "notes.txt"),
        (b"#!/bin/sh\n", "notes.txt"),
        (b"plain", "book.xlsx"),
        (b"", "photo.png"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused(world: World, content: bytes, name: str) -> None:
    before = list((world.var / "files").rglob("*"))
    answer = sent(world, content, name)
    assert (answer.status_code, [e["code"] for e in answer.json["errors"]]) == (422, ["content"])
    assert list((world.var / "files").rglob("*")) == before, "nothing is left lying"


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (PNG, "photo.PNG"),
        (b"%PDF-1.7", "offer.pdf"),
        (b"PK\x03\x04x", "book.xlsx"),
        (b"a;b", "list.csv"),
        (b"x", "odd.zzz"),
    ],
)
def test_what_is_what_it_says_is_taken(world: World, content: bytes, name: str) -> None:
    assert sent(world, content, name).status_code == 201


@pytest.mark.parametrize(
    ("content", "name"), [(SVG, "logo.svg"), (HTML, "page.html"), (HTML, "page.xhtml"), (SVG, "x.xml")]
)
def test_what_could_run_is_only_ever_saved(world: World, content: bytes, name: str) -> None:
    answer = shown(world, content, name)
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_a_picture_is_shown_and_still_runs_nothing(world: World) -> None:
    answer = shown(world, PNG, "photo.png")
    assert answer.mimetype == "image/png"
    assert answer.headers["Content-Disposition"].startswith("inline")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "private" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    "name",
    ['a"; filename="b.html', "a\tSet-Cookie: evil=1.txt", "../../etc/passwd", "..\\..\\boot.ini", "x" * 500 + ".txt"],
)
def test_a_name_is_only_ever_a_name(world: World, name: str) -> None:
    answer = shown(world, b"text", name)
    said = answer.headers["Content-Disposition"]
    assert "Set-Cookie" not in answer.headers
    assert "\n" not in said
    assert "/" not in said.replace("filename*=UTF-8''", "").replace("%2F", "/")
    assert len(said) < 1000


def test_a_file_of_another_is_nobody_elses_to_give(world: World) -> None:
    names = world.names()
    secret = names["file"], names["id"]
    for who in ("colleague", "viewer"):
        headers = {"Authorization": f"Bearer {world.keys[who]}"}
        given = {"name": f"Thief {who}", "scan": [{"id": secret[0], "name": "scan.pdf", "size": 1}]}
        answer = world.app.test_client().post("/api/v1/account", json=given, headers=headers)
        assert answer.status_code in (403, 422), answer.text


def test_the_id_of_a_file_in_a_text_gives_nobody_the_file(world: World) -> None:
    secret = world.names()["file"]
    client, headers = world.app.test_client(), {"Authorization": f"Bearer {world.keys['colleague']}", "If-Match": "*"}
    mine = client.post("/api/v1/account", json={"name": "Thief", "city": secret}, headers=headers).json["id"]
    client.patch(f"/api/v1/account/{mine}", json={"city": f"[{secret}]"}, headers=headers)
    given = {"scan": [{"id": secret, "name": "x.pdf", "size": 1}]}
    answer = client.patch(f"/api/v1/account/{mine}", json=given, headers=headers)
    assert [e["code"] for e in answer.json.get("errors", ())] == ["file"], answer.text
