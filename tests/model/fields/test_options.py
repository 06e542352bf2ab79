"""Options come from the classes: their schema, their conversion, their reference."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import jsonschema
import pytest

from trellis.model.fields import FIELD_TYPES, make_type, option_schema, options_of
from trellis.model.fields.reference import fields_reference


@pytest.mark.parametrize("name", sorted(FIELD_TYPES))
def test_every_type_has_documentation_and_a_valid_schema(name: str) -> None:
    cls = FIELD_TYPES[name]
    assert cls.doc
    assert cls.name == name
    schema = option_schema(cls)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert all(part["description"] for part in schema["properties"].values())


def test_options_are_converted_from_yaml() -> None:
    type = make_type("decimal", {"min": "1.10", "scale": 2})
    assert type.min == Decimal("1.10")  # type: ignore[attr-defined]
    assert make_type("any_link", {"to": "account"}).to == ("account",)  # type: ignore[attr-defined]
    assert "columns" in options_of(FIELD_TYPES["links"])
    assert "for" in options_of(FIELD_TYPES["reminders"])


def test_wrong_options_are_refused() -> None:
    with pytest.raises(KeyError):
        make_type("telephone")
    with pytest.raises(TypeError, match="max_lenght"):
        make_type("text", {"max_lenght": 3})
    with pytest.raises(ValueError, match="min"):
        make_type("decimal", {"min": "low"})
    with pytest.raises(ValueError, match="max_size"):
        make_type("file", {"max_size": "big"})


def test_the_reference_names_every_type_and_option() -> None:
    text = fields_reference()
    for name, cls in FIELD_TYPES.items():
        assert f"### `{name}`" in text
        for option in options_of(cls):
            assert f"`{option}`" in text


def test_the_documentation_is_the_reference() -> None:
    page = Path(__file__).parents[3] / "docs" / "fields.md"
    told = "run: PYTHONPATH=platform python -m trellis.model.fields.reference > docs/fields.md"
    assert page.read_text("utf-8") == fields_reference(), told
