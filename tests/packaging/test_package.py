"""A template as one file: the same every time, signed, and refused in words when it is not what it says."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trellis.packaging.contents import Unpackable, contents
from trellis.packaging.keys import BadKey, SigningKey, TrustedKeys, make_key, public_file, read_key, read_public
from trellis.packaging.manifest import Manifest, manifest
from trellis.packaging.package import INDEX, SIGNATURE, build, layer_of
from trellis.packaging.reach import reach
from trellis.packaging.reading import package_of
from trellis.packaging.starting import Beginning, begin

Member = tuple[zipfile.ZipInfo, bytes]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "vet"
    begin(folder, Beginning("vet", "Vet & Co"))
    return folder


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return make_key(tmp_path_factory.mktemp("keys") / "paws.key", "Paws & Co")


@pytest.fixture(scope="module")
def files(folder: Path) -> dict[str, bytes]:
    return dict(contents(folder).files)


@pytest.fixture(scope="module")
def said(files: dict[str, bytes]) -> Manifest:
    return manifest(layer_of(Manifest("vet", ""), files))


def test_the_same_content_gives_the_same_bytes(
    files: dict[str, bytes], said: Manifest, key: SigningKey, folder: Path
) -> None:
    first = build(said, files, key)
    for path in folder.rglob("*.yaml"):
        path.touch()
    again = dict(reversed(list(contents(folder).files.items())))
    assert build(said, again, key) == first
    changed = {**files, "README.md": b"# Other\n"}
    assert build(said, changed, key) != first


def test_what_was_packed_is_what_is_read(files: dict[str, bytes], said: Manifest, key: SigningKey) -> None:
    package = package_of(build(said, files, key))
    assert (package.manifest, package.files) == (said, files)
    assert package.signer is not None
    assert package.signer.fingerprint == key.public.fingerprint
    assert package.documents()["entity"] == ["job"]
    assert package.scenarios() == ["an-urgent-one-needs-a-day"]
    unsigned = package_of(build(said, files))
    assert unsigned.signer is None
    assert unsigned.digest == package.digest


REACHING = """workflow: erp
on: {webhook: {key: erp, into: payload}}
steps:
  - {when: payload.ok, request: {url: https://erp.example, secret: erp}}
  - {create: task, set: {send: never}}
---
role: boss
allow: [admin]
"""


def test_what_a_package_does_beyond_its_own_records_is_told(files: dict[str, bytes], said: Manifest) -> None:
    assert reach(package_of(build(said, files))) == []
    more = {**files, "workflows/erp.yaml": REACHING.encode()}
    assert reach(package_of(build(said, more))) == [
        "calls other servers",
        "makes administrators (role boss)",
        "takes webhooks",
        "wants secrets from the environment",
    ]


def members(data: bytes) -> list[Member]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [(entry, archive.read(entry)) for entry in archive.infolist()]


def zipped(entries: list[Member]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for entry, data in entries:
            archive.writestr(entry, data)
    return out.getvalue()


def with_file(
    name: str, data: bytes = b"x", mode: int = 0o100644, kind: int = zipfile.ZIP_STORED
) -> Callable[..., None]:
    def put(entries: list[Member]) -> None:
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        info.compress_type = kind
        entries.append((info, data))

    return put


def edited(name: str, change: Callable[[bytes], bytes]) -> Callable[..., None]:
    def edit(entries: list[Member]) -> None:
        entries[:] = [(info, change(data) if info.filename == name else data) for info, data in entries]

    return edit


def without(name: str) -> Callable[..., None]:
    def drop(entries: list[Member]) -> None:
        entries[:] = [(info, data) for info, data in entries if info.filename != name]

    return drop


def indexed(change: Callable[[dict], None]) -> Callable[..., None]:
    def rewrite(data: bytes) -> bytes:
        body = orjson.loads(data)
        change(body)
        return orjson.dumps(body)

    return edited(INDEX, rewrite)


@pytest.mark.parametrize(
    ("hostile", "words"),
    [
        (with_file("../outside.yaml"), "leads out of the template's folder"),
        (with_file("schemas/../../x.yaml"), "leads out of the template's folder"),
        (with_file("/etc/x.yaml"), "leads out of the template's folder"),
        (with_file("schemas\\x.yaml"), "cannot be a file's in a package"),
        (with_file("C:/x.yaml"), "cannot be a file's in a package"),
        (with_file("data/demo/con.csv"), "cannot be a file's on every system"),
        (with_file("schemas/link.yaml", b"/etc/passwd", 0o120777), "a link or no plain file"),
        (with_file("data/demo/big.csv", b"0" * 100_000, kind=zipfile.ZIP_DEFLATED), "is compressed"),
        (with_file("run.py"), "nothing that a template has"),
        (with_file("README.MD"), "is in it twice"),
        (with_file("schemas/more.yaml"), "was put into it"),
        (without("workflows/job.yaml"), "'workflows/job.yaml' is missing"),
        (edited("schemas/roles.yaml", lambda data: data + b" "), "'schemas/roles.yaml' was changed"),
        (without(INDEX), "it has no package.json"),
        (edited(INDEX, lambda data: b"[]"), "package.json cannot be read"),
        (indexed(lambda body: body.update(format=9)), "format 9, which this version does not know"),
        (indexed(lambda body: body.update(version="9.9.9")), "says something else of it than template.yaml"),
        (indexed(lambda body: body.update(made_with="9")), "its signature does not fit"),
        (edited(SIGNATURE, lambda data: data.replace(b"Paws", b"Paul")), "its signature does not fit"),
        (edited(SIGNATURE, lambda data: b"{}"), "package.sig is no signature"),
    ],
)
def test_a_hostile_package_is_refused_in_words(
    files: dict[str, bytes], said: Manifest, key: SigningKey, hostile: Callable[[list[Member]], None], words: str
) -> None:
    entries = members(build(said, files, key))
    hostile(entries)
    with pytest.raises(Unpackable, match=words.replace("(", r"\(")):
        package_of(zipped(entries))


def test_a_text_that_is_not_utf_8_is_refused(files: dict[str, bytes], said: Manifest, folder: Path) -> None:
    latin = {**files, "data/demo/job.csv": "subject\nGebühr\n".encode("latin-1")}
    with pytest.raises(Unpackable, match=r"job\.csv is not UTF-8"):
        package_of(build(said, latin))


@pytest.mark.parametrize(
    ("name", "version"),
    [("../../etc", "1.0.0"), ("vet", "../1.0.0"), ("vet", "1.0"), (".keys", "1.0.0"), ("Vet", "1.0.0")],
)
def test_a_name_or_version_that_would_be_another_path_is_refused(
    files: dict[str, bytes], name: str, version: str
) -> None:
    text = files["template.yaml"].decode().replace("template: vet", f'template: "{name}"')
    evil = {**files, "template.yaml": text.replace("version: 0.1.0", f'version: "{version}"').encode()}
    with pytest.raises(Unpackable, match="is no template's name and version"):
        package_of(build(manifest(layer_of(Manifest("x", ""), evil)), evil))


@given(at=st.integers(0, 20_000), byte=st.integers(0, 255), cut=st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_to_its_bytes_it_is_refused_or_whole(
    files: dict[str, bytes], said: Manifest, key: SigningKey, at: int, byte: int, cut: bool
) -> None:
    data = bytearray(build(said, files, key))
    at %= len(data)
    data[at:] = b"" if cut else bytes([byte]) + data[at + 1 :]
    try:
        package = package_of(bytes(data))
    except Unpackable:
        return
    assert package.files == files
    assert package.signer is not None


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"no zip at all", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_package_is_refused(data: bytes) -> None:
    with pytest.raises(Unpackable, match="no package"):
        package_of(data)


def test_a_package_that_was_cut_off_is_refused(files: dict[str, bytes], said: Manifest) -> None:
    data = build(said, files)
    with pytest.raises(Unpackable, match="no package of a template"):
        package_of(data[: len(data) // 2])


def test_links_are_not_packed_and_what_does_not_belong_is_left(tmp_path: Path) -> None:
    begin(tmp_path / "vet", Beginning("vet"))
    (tmp_path / "vet" / "offer.docx").write_bytes(b"x")
    (tmp_path / "vet" / "schemas" / "notes.txt").write_bytes(b"x")
    assert contents(tmp_path / "vet").left == ("offer.docx", "schemas/notes.txt")
    (tmp_path / "vet" / "schemas" / "other.yaml").symlink_to("/etc/passwd")
    with pytest.raises(Unpackable, match="is a link"):
        contents(tmp_path / "vet")


def test_keys_are_read_back_and_kept_from_others(tmp_path: Path) -> None:
    file = tmp_path / "my.key"
    made = make_key(file, "Paws & Co", "open sesame")
    assert file.stat().st_mode & 0o077 == 0
    assert read_key(file, "open sesame").public == made.public
    with pytest.raises(BadKey, match="passphrase is wrong"):
        read_key(file, "sesame")
    with pytest.raises(BadKey, match="is there already"):
        make_key(file, "Paws & Co")
    make_key(tmp_path / "other.key", "Other")
    public_file(file).write_text(public_file(tmp_path / "other.key").read_text())
    with pytest.raises(BadKey, match="does not belong"):
        read_key(file, "open sesame")


@pytest.mark.parametrize("text", ["", "trellis-key", "trellis-key AAAA Paws", "ssh-rsa AAAA x", "trellis-key ==== \n"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(BadKey, match="no public key"):
        read_public(text)


def test_a_key_is_trusted_by_what_it_is_and_not_by_its_name(tmp_path: Path, key: SigningKey) -> None:
    trusted = TrustedKeys(tmp_path / "keys")
    trusted.add(make_key(tmp_path / "false.key", "Paws & Co").public)
    assert not trusted.has(key.public)
    trusted.add(key.public)
    assert trusted.has(key.public)
    with pytest.raises(BadKey, match="several keys"):
        trusted.remove("Paws & Co")
    trusted.remove(key.public.fingerprint[:9])
    assert not trusted.has(key.public)
