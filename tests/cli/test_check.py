"""trellis check and trellis schema, as typed."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema_rs
import pytest
from click.testing import CliRunner

from trellis.cli.check import command as check
from trellis.cli.schema import command as schema
from trellis.config.layer import read_documents
from trellis.config.workspace import Workspace
from trellis.model.kinds import KINDS

ROOT = Path(__file__).parents[2]


@pytest.fixture
def template(tmp_path: Path) -> Path:
    (tmp_path / "schemas").mkdir()
    (tmp_path / "template.yaml").write_text("template: retail\nversion: 1.0.0\n", "utf-8")
    (tmp_path / "schemas" / "member.yaml").write_text(
        "entity: member\nfields:\n  phone: {type: telephone}\n  name: {type: text, requird: true}\n", "utf-8"
    )
    return tmp_path


def test_errors_are_shown_with_their_lines(template: Path) -> None:
    result = CliRunner().invoke(check, [str(template), "--root", str(template)])
    assert result.exit_code == 1
    lines = result.output.splitlines()
    assert lines[0].endswith(
        "schemas/member.yaml:3:17: E210 fields.phone.type: unknown field type 'telephone' (did you mean 'phone'?)"
    )
    assert lines[3:5] == ["   3 |   phone: {type: telephone}", "                       ^"]
    assert lines[-1] == "2 errors, 0 warnings in 1 of 2 files"


def test_json_and_github(template: Path) -> None:
    result = CliRunner().invoke(check, [str(template), "--root", str(template), "--format", "json"])
    assert [p["code"] for p in json.loads(result.output)["problems"]] == ["E210", "E203"]
    result = CliRunner().invoke(check, [str(template), "--root", str(template), "--format", "github"])
    assert result.output.startswith("::error file=")


def test_a_clean_layer_exits_with_zero(tmp_path: Path) -> None:
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "a.yaml").write_text("entity: a\nfields: {name: {type: text}}\n", "utf-8")
    result = CliRunner().invoke(check, [str(tmp_path), "--root", str(tmp_path)])
    assert (result.exit_code, result.output) == (0, "0 errors, 0 warnings in 0 of 1 file\n")


def test_loose_files_are_checked(tmp_path: Path) -> None:
    (tmp_path / "deal.yaml").write_text("entity: deal\nlabl: x\n", "utf-8")
    result = CliRunner().invoke(check, [str(tmp_path / "deal.yaml"), "--root", str(tmp_path)])
    assert "E203 labl: unknown key 'labl' (did you mean 'label'?)" in result.output


def test_schemas_are_valid_and_take_the_core(tmp_path: Path) -> None:
    result = CliRunner().invoke(schema, ["--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    made = {path.stem: json.loads(path.read_text("utf-8")) for path in tmp_path.glob("*.json")}
    assert set(made) == {*KINDS, "trellis"}
    for each in made.values():
        jsonschema_rs.meta.validate(each)
    documents = read_documents(Workspace(ROOT).core()).documents
    for document in [d for d in documents if d.kind in ("pipeline", "module", "menu", "role")]:
        plain = json.loads(json.dumps(document.data, default=float))
        assert [e.message for e in jsonschema_rs.Draft7Validator(made[document.kind]).iter_errors(plain)] == []


def test_a_wrong_field_is_wrong_in_an_editor_too(tmp_path: Path) -> None:
    CliRunner().invoke(schema, ["--out", str(tmp_path)])
    entity = jsonschema_rs.Draft7Validator(json.loads((tmp_path / "entity.json").read_text("utf-8")))
    assert list(entity.iter_errors({"entity": "deal", "fields": {"name": {"type": "text", "required": True}}})) == []
    assert list(entity.iter_errors({"entity": "deal", "fields": {"name": {"type": "text", "requird": True}}}))


def test_reserved_names_are_listed() -> None:
    assert "created_at" in CliRunner().invoke(schema, []).output


@pytest.mark.parametrize(
    "path",
    [".", *(str(p.relative_to(ROOT)) for p in sorted(ROOT.glob("templates/*")) + sorted(ROOT.glob("tenants/*")))],
)
def test_what_we_ship_has_no_errors(path: str) -> None:
    result = CliRunner().invoke(check, [str(ROOT / path)])
    assert result.exit_code == 0, result.output
