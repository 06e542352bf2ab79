"""Configurations as ZIPs: what goes out comes in, what is hostile does not."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from trellis.config.layer import Layer
from trellis.studio.archive import pack, unpack
from trellis.studio.export import plan_export
from trellis.studio.own import BadPath

FILES = {"tenant.yaml": "tenant: x  # ours\n", "schemas/a/b.yaml": "entity: y\n", "i18n/zh-Hans.yaml": "a.b: 鞋\n"}


def zipped(members: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


def test_what_is_packed_is_unpacked() -> None:
    assert unpack([("x.zip", pack(FILES))]) == FILES
    assert pack(FILES) == pack(FILES)


def test_a_folder_around_it_and_what_is_no_configuration_are_left_aside() -> None:
    inside = {f"north/{path}": text.encode() for path, text in FILES.items()}
    more = {"north/data/demo/a.csv": b"a\n", "north/README.md": b"x", "__MACOSX/north/tenant.yaml": b"x"}
    assert unpack([("x.zip", zipped(inside | more))]) == FILES


def test_single_files_find_their_place() -> None:
    files = unpack([("tenant.yaml", b"tenant: x\n"), ("C:\\mine\\deal.yaml", b"\xef\xbb\xbfentity: deal\r\n")])
    assert files == {"tenant.yaml": "tenant: x\n", "schemas/deal.yaml": "entity: deal\n"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.zip", b"PK\x03\x04 nonsense"),
        ("x.zip", zipped({"schemas/../../../etc/x.yaml": b"a: b"})),
        ("x.zip", zipped({"schemas/x.yaml": b"\xff\xfe\x00"})),
        ("x.zip", zipped({"schemas/x.yaml": b" " * 1_000_001})),
        ("x.zip", zipped({f"schemas/{n}.yaml": b" " * 900_000 for n in range(30)})),  # 27 MB in 27 kB
        ("x.zip", zipped({"readme.txt": b"x"})),
        ("x.zip", zipped({"schemas/x.yaml": b"a: b", "schemas/X.yaml": b"c: d"})),
        ("x.exe", b"MZ"),
    ],
)
def test_what_cannot_be_a_configuration_is_refused(name: str, content: bytes) -> None:
    with pytest.raises(BadPath):
        unpack([(name, content)])


def test_a_folder_gets_what_was_published_comments_and_all(tmp_path: Path) -> None:
    revision = SimpleNamespace(layers=(Layer("core", {}), Layer("tenants/x", FILES)))
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas/gone.yaml").write_text("entity: z\n")
    (tmp_path / "data").mkdir()
    export = plan_export(revision, "x", tmp_path)  # type: ignore[arg-type]
    assert (len(export.new), export.changed, export.gone) == (3, (), ("schemas/gone.yaml",))
    export.write()
    assert {p: (tmp_path / p).read_text("utf-8") for p in FILES} == FILES
    assert (tmp_path / "data").is_dir()
    assert plan_export(revision, "x", tmp_path).is_empty  # type: ignore[arg-type]
