"""The reference of the field types as Markdown, made from the registry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trellis.model.fields.base import FieldType
from trellis.model.fields.registry import FIELD_TYPES, option_schema
from trellis.model.formats.registry import FORMATS
from trellis.model.known import KNOWN_LISTS


def _values(schema: dict[str, Any]) -> str:
    """What an option takes, in a few words."""
    if schema.get("format") == "formula":
        return "value or formula"
    if "enum" in schema:
        return " · ".join(f"`{value}`" for value in schema["enum"])
    kind = schema.get("type", "see text")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def _section(name: str, cls: type[FieldType]) -> Iterator[str]:
    yield f"### `{name}`\n"
    yield f"{cls.doc}\n"
    schema = option_schema(cls)
    if not schema["properties"]:
        return
    yield "| option | takes | default | meaning |"
    yield "|---|---|---|---|"
    for option, part in schema["properties"].items():
        default = (
            "required" if option in schema.get("required", ()) else f"`{part['default']}`" if "default" in part else ""
        )
        meaning = part["description"].replace("|", "\\|")
        yield f"| `{option}` | {_values(part)} | {default} | {meaning} |"
    yield ""


def fields_reference() -> str:
    """The reference of all field types, formats and known lists."""
    lines = ["# Fields", "", "Made from the code by `python -m trellis.model.fields.reference > docs/fields.md`.", ""]
    lines += [
        "## Types",
        "",
        "Every field also has the general properties: label, required, default, visible_when, …",
        "",
    ]
    for name, cls in FIELD_TYPES.items():
        lines += _section(name, cls)
    lines += ["## Formats", "", "For `format:` of a text field.", "", "| format | what it is |", "|---|---|"]
    lines += [f"| `{made.name}` | {made.doc} |" for made in FORMATS.values()]
    lines += [
        "",
        "## Lists the platform knows",
        "",
        "For `choices: {from: …}`: " + ", ".join(f"`{k}`" for k in KNOWN_LISTS) + ", `entities`.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(fields_reference(), end="")
