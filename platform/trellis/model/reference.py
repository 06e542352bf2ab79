"""The language reference, made from the registries: `python -m trellis.model.reference docs/reference` writes it."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trellis.config.codes import CODES
from trellis.formula.functions.registry import reference as functions
from trellis.model.compile.reports.kinds import KINDS as REPORTS
from trellis.model.dashboards.kinds import KINDS as WIDGETS
from trellis.model.fields.sequence import PLACES
from trellis.model.kinds import KINDS
from trellis.model.kinds.definitions import definitions
from trellis.model.kinds.reports import REPORT_TYPES

COMMAND = "PYTHONPATH=platform .venv/bin/python -m trellis.model.reference docs/reference"
MADE = f"Made from the code by `{COMMAND}`."
GROUPS = {
    "entity": ("entity", "choices", "format", "module", "menu", "pipeline"),
    "people": ("role", "convert"),
    "automation": ("workflow", "sequence", "email", "document"),
    "clocks": ("calendar", "sla", "assignment", "pool", "scoring"),
    "reports": ("report", "dashboard"),
    "manifests": ("template", "tenant"),
    "scenarios": ("test",),
}
TITLES = {
    "entity": "Entities, choices, formats, menus, pipelines",
    "people": "Roles and conversions",
    "automation": "Workflows, sequences, emails, documents",
    "clocks": "Calendars, service levels, assignments, pools, scorings",
    "reports": "Reports and dashboards",
    "manifests": "template.yaml and tenant.yaml",
    "scenarios": "Scenarios",
}
HEAD = ("| key | takes | without it | what it is for | example |", "|---|---|---|---|---|")


def pages() -> dict[str, str]:
    """Every page of the reference by its file's name."""
    made = {f"{name}.md": _join(_group(name)) for name in GROUPS}
    made["formulas.md"] = _join(_formulas())
    made["codes.md"] = _join(_codes())
    made["README.md"] = _join(_contents())
    return made


def _contents() -> Iterator[str]:
    yield from ("# The language, key by key", "", MADE, "")
    yield "The language by example: [language](../language.md). What each type of field takes: [fields](../fields.md)."
    yield ""
    yield from ("| page | documents |", "|---|---|")
    for name, kinds in GROUPS.items():
        links = ", ".join(f"[`{kind}`]({name}.md#{kind})" for kind in kinds)
        yield f"| [{TITLES[name]}]({name}.md) | {links} |"
    yield "| [Formulas](formulas.md) | every function, with its signature |"
    yield "| [Codes](codes.md) | what `trellis check` says, why, and what to do |"
    yield ""
    yield "Under *takes*: a *formula* is one with or without a leading =, a *value* is a value or a formula after =,"
    yield "a *text* is for people and may hold formulas in braces where it makes sense, *a · b* is one of these words."


def _group(name: str) -> Iterator[str]:
    yield from (f"# {TITLES[name]}", "", MADE)
    for kind in GROUPS[name]:
        made = KINDS[kind]
        yield from ("", f"## `{kind}`", "", f"{_sentence(made.doc)} Its key is in {_case(made.is_snake)}.", "")
        yield from _table(kind, made.schema)
    if name == "automation":
        shared = definitions()
        yield from _forms("Triggers", "Under `on:` of a workflow.", shared["trigger"])
        yield from _forms("Steps", "Under `steps:`. Every step may also have:", shared["step"])
    if name == "entity":
        field = definitions()["field"]["x-cases"]["cases"]["text"]
        yield from ("", "## What every field may say", "", "Beside the options of its [type](../fields.md).", "")
        common = {k: v for k, v in field["properties"].items() if k in _common()}
        yield from _table("", {"properties": {"type": definitions_type(), **common}})
        yield from ("", "## Parts of a number's mask", "", "For `mask:` of a `sequence`.", "")
        yield from ("| part | what it is | example |", "|---|---|---|")
        yield from (f"| `{part}` | {what} | {example} |" for part, (what, example) in PLACES.items())
    if name == "reports":
        yield from ("", "## Kinds of reports", "", "| `type:` | what it shows |", "|---|---|")
        known = (kind for kind in REPORT_TYPES if kind in REPORTS)  # in their order, whatever is imported first
        yield from (f"| `{kind}` | {_cell(REPORTS[kind].__doc__ or '')} |" for kind in known)
        yield from (
            "",
            "## Widgets",
            "",
            "Under `widgets:` of a dashboard: one of these words, with what belongs to it.",
            "",
        )
        yield from ("| widget | what it shows | what stands under the word | size |", "|---|---|---|---|")
        for kind, widget in WIDGETS.items():
            width, height = widget.size
            yield f"| `{kind}` | {_cell(type(widget).__doc__ or '')} | {_cell(widget.doc)} | {width} × {height} |"
        widgets = KINDS["dashboard"].schema["properties"]["widgets"]["additionalProperties"]
        yield from _forms("", "Every widget may also have:", widgets)
    if name == "scenarios":
        properties = KINDS["test"].schema["properties"]
        yield from _forms(
            "Actions", "Under `given:` and `when:`. All but `user` may also have:", properties["when"]["items"]
        )
        yield from _forms("Expectations", "Under `expect:`.", properties["expect"]["items"])


def definitions_type() -> dict[str, Any]:
    """The key `type` of a field, which the schema holds apart."""
    return {"type": "string", "description": "what it holds: one of the types", "x-example": "type: money"}


def _common() -> set[str]:
    from trellis.model.kinds.field import COMMON

    return set(COMMON) - {"type"}


def _forms(title: str, doc: str, schema: dict[str, Any]) -> Iterator[str]:
    """What has one of several shapes, by its first word; what all of them may have is told once."""
    yield from ("", f"## {title}", "") if title else ("",)
    yield doc
    forms = schema["x-forms"]["keys"]
    common = _shared(forms)
    if common:
        form = next(form for form in forms.values() if common <= set(form["properties"]))
        yield ""
        yield from _table("", {"properties": {k: v for k, v in form["properties"].items() if k in common}})
    for word, form in forms.items():
        own = {k: v for k, v in form["properties"].items() if k not in common or k == word}
        yield from ("", f"### `{word}`", "")
        yield from _table("", {"properties": own, "required": form.get("required", ())})


def _shared(forms: dict[str, Any]) -> set[str]:
    """The keys that nearly every form has, and more than two."""
    count = Counter(key for form in forms.values() for key in form["properties"])
    least = max(3, len(forms) - 1)
    return {key for key, number in count.items() if number >= least and key not in forms}


def _table(name: str, schema: dict[str, Any]) -> Iterator[str]:
    yield from HEAD
    for path, part, is_required in _keys(schema, ""):
        if path == name:
            continue
        without = "**required**" if is_required else _cell(part.get("x-default", ""))
        example = f"`{_cell(part['x-example'])}`" if part.get("x-example") else ""
        yield f"| `{path}` | {_takes(part)} | {without} | {_cell(part.get('description', ''))} | {example} |"


def _keys(schema: Any, path: str) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Every key below a schema, with what it takes; the same one in several shapes once."""
    seen: set[str] = set()
    for inner, part, is_required in _all_keys(schema, path):
        if inner not in seen:
            seen.add(inner)
            yield inner, part, is_required


def _all_keys(schema: Any, path: str) -> Iterator[tuple[str, dict[str, Any], bool]]:
    if not isinstance(schema, dict):
        return
    for key, part in schema.get("properties", {}).items():
        inner = f"{path}.{key}" if path else key
        yield inner, part, key in schema.get("required", ())
        yield from _all_keys(part, inner)
    more = schema.get("additionalProperties")
    yield from _all_keys(more, f"{path}.*")
    yield from _all_keys(schema.get("items"), path)
    for branch in schema.get("anyOf", ()):
        yield from _all_keys(branch, path)


def _takes(schema: dict[str, Any]) -> str:
    """What a key takes, in a word or two."""
    if "anyOf" in schema:
        words = dict.fromkeys(_takes(branch) for branch in schema["anyOf"])
        return " or ".join(words) or "value"
    if "$ref" in schema:
        return f"a {schema['$ref'].rpartition('/')[2]}"
    if "const" in schema:
        return f"`{str(schema['const']).lower() if isinstance(schema['const'], bool) else schema['const']}`"
    if "enum" in schema:
        return " · ".join(f"`{value}`" for value in schema["enum"])
    if "x-forms" in schema:
        return f"a {schema['x-forms']['noun']}"
    if "x-cases" in schema:
        return "a field"
    kind = schema.get("type")
    if kind == "array":
        return f"list of {_takes(schema.get('items', {}))}"
    if kind == "object":
        return _mapping(schema)
    if kind == "string":
        return _string(schema)
    return {"integer": "whole number", "number": "number", "boolean": "yes/no", None: "value", "null": "nothing"}[kind]


def _mapping(schema: dict[str, Any]) -> str:
    inner = schema.get("additionalProperties")
    if isinstance(inner, dict) and not schema.get("properties"):
        return f"by key: {_takes(inner)}" if inner else "by key: value"
    return "mapping"


def _string(schema: dict[str, Any]) -> str:
    if schema.get("format") == "formula":
        return "formula"
    if "duration" in str(schema.get("x-hint", "")):
        return "length of time"
    return "word" if schema.get("minLength") or "pattern" in schema else "text"


def _formulas() -> Iterator[str]:
    yield from ("# Formulas", "", MADE, "", "Operators, names and blanks: [language](../language.md).")
    family = ""
    for function in functions():
        if function.family != family:
            family = function.family
            yield from ("", f"## {family.capitalize()}", "", "| function | what it gives | example |", "|---|---|---|")
        example = f"`{_cell(function.example)}`" if function.example else ""
        yield f"| `{_cell(function.usage)}` | {_cell(function.doc)} | {example} |"


def _codes() -> Iterator[str]:
    yield from ("# Codes of problems", "", MADE, "")
    yield "E is an error: nothing is published or packed with it; W is advice. `trellis check --explain E304` tells it."
    yield ""
    yield from ("| code | what is wrong | what to do |", "|---|---|---|")
    yield from (f"| {code} | {_cell(each.cause)} | {_cell(each.mend)} |" for code, each in CODES.items())


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def _case(is_snake: bool) -> str:
    return "`snake_case`: formulas name it" if is_snake else "`kebab-case`"


def _join(lines: Iterator[str]) -> str:
    return "\n".join(lines) + "\n"


def write(folder: Path) -> None:
    """Write every page."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, "utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
