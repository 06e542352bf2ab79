"""The page about adding a field type: its class really is one."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from trellis.formula.reader import Reader
from trellis.model.fields import FIELD_TYPES, option_schema
from trellis.model.fields.base import Invalid

PAGE = Path(__file__).parents[2] / "docs" / "adding-a-field-type.md"


@pytest.fixture
def dimensions(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("trellis.model.fields.registry.FIELD_TYPES", dict(FIELD_TYPES))
    code = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[0]
    module = ModuleType("trellis.model.fields.dimensions")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(code, str(PAGE), "exec"), module.__dict__)
    return module.Dimensions


def test_the_class_of_the_page_reads_checks_and_shows(dimensions):
    field = dimensions(longest=1300)
    value = field.parse("1200 × 800 x 1450 mm", Reader())
    assert value == "1200x800x1450"
    assert field.display(value, Reader()) == "1200 × 800 × 1450 mm"
    assert [str(fault) for fault in field.check(value)] == ["No side may be longer than 1300 mm."]
    assert field.read_text(field.write_text(value, Reader()), Reader()) == value
    with pytest.raises(Invalid, match="is not like"):
        field.parse("big", Reader())


def test_its_option_is_in_the_schema(dimensions):
    assert "longest" in option_schema(dimensions)["properties"]
