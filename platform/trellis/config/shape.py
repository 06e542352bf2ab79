"""Checks data against a JSON Schema and says what is wrong in the words of the YAML, at the place in the file.

Beside draft 7's keywords there are two of our own, which keep a wrong document's message short and which `export`
writes out as if/then for editors: `x-cases` (the schema depends on a property's value) and `x-forms` (on which of
several keys is there).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import islice
from typing import Any

import jsonschema
from jsonschema import Draft7Validator, ValidationError

from trellis.config.merge import item_key
from trellis.config.phrase import Phrase, as_it_is, phrase
from trellis.config.problem import Problem, did_you_mean
from trellis.config.source import Place

Schema = Mapping[str, Any]
MAX_PROBLEMS = 100


def _is_text(_: Any, value: Any) -> bool:
    return isinstance(value, str | bool | int | Decimal)


def _is_number(_: Any, value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _pattern(validator: Any, pattern: str, value: Any, _: Schema) -> Iterator[ValidationError]:
    if isinstance(value, str) and not re.search(pattern, value):
        yield ValidationError(phrase("'{name}' is not written as expected here", name=value))


def _min_length(validator: Any, least: int, value: Any, _: Schema) -> Iterator[ValidationError]:
    if isinstance(value, str) and len(value.strip()) < least:
        yield ValidationError("must not be empty")


def _cases(validator: Any, cases: Schema, value: Any, _: Schema) -> Iterator[ValidationError]:
    if not isinstance(value, dict):
        return
    chosen = value.get(cases["property"], cases.get("default"))
    if chosen is None:
        schema = cases.get("otherwise")
    elif isinstance(chosen, str) and chosen in cases["cases"]:
        schema = cases["cases"][chosen]
    else:
        noun = cases.get("noun", cases["property"])
        error = ValidationError(
            phrase("unknown {noun} '{name}'", noun=phrase(noun), name=chosen),
            path=[cases["property"]],
            validator="x-cases",
        )
        error.schema = {
            "known": list(cases["cases"]),
            "code": cases.get("code", "E210"),
            "aliases": cases.get("aliases", {}),
        }
        yield error
        return
    if schema is not None:
        yield from validator.descend(value, schema)


def _forms(validator: Any, forms: Schema, value: Any, _: Schema) -> Iterator[ValidationError]:
    if not isinstance(value, dict):
        return
    found = [key for key in forms["keys"] if key in value]
    if not found:
        error = ValidationError(phrase("not a known {noun}", noun=phrase(forms["noun"])), validator="x-forms")
        error.schema = {"known": list(forms["keys"]), "keys": list(value), "noun": forms["noun"]}
        yield error
        return
    yield from validator.descend(value, forms["keys"][found[0]])


_checker = Draft7Validator.TYPE_CHECKER.redefine_many(
    {"string": _is_text, "number": _is_number, "integer": lambda _, v: isinstance(v, int) and not isinstance(v, bool)}
)
ShapeValidator: Any = jsonschema.validators.extend(  # type: ignore[no-untyped-call]
    Draft7Validator,
    {"pattern": _pattern, "minLength": _min_length, "x-cases": _cases, "x-forms": _forms},
    type_checker=_checker,
)

_NOUNS = {
    "string": phrase("a text"),
    "number": phrase("a number"),
    "integer": phrase("a whole number"),
    "boolean": phrase("true or false"),
    "object": phrase("a mapping"),
    "array": phrase("a list"),
    "null": phrase("nothing"),
}


def check_shape(validator: Any, data: Any, place: Place) -> list[Problem]:
    """Every violation of the validator's schema, as problems (of a document that is all wrong, the first ones)."""
    found = (p for error in validator.iter_errors(data) for p in _problems(error, data, place))
    return list(islice(found, MAX_PROBLEMS))


def _problems(error: Any, data: Any, place: Place) -> Iterator[Problem]:
    keyword = str(error.validator)
    if keyword == "anyOf" and (inner := _fitting_branch(error)) is not None:
        for each in inner:
            yield from _problems(each, data, place)
        return
    found, where, path = _locate(data, place, list(error.absolute_path))
    if keyword == "additionalProperties":
        yield from _unknown_keys(error, where, path)
    elif keyword == "required":
        missing = [k for k in error.validator_value if isinstance(found, dict) and k not in found]
        name = next((k for k in missing if f"'{k}'" in error.message), "?")
        yield Problem("E204", phrase("'{name}' is missing", name=name), where.key_mark, path)
    elif keyword == "x-cases":
        yield Problem(
            error.schema["code"],
            error.message,
            where.mark,
            path,
            did_you_mean(error.schema["aliases"].get(_shown(found), _shown(found)), error.schema["known"]),
        )
    elif keyword == "x-forms":
        hint = next(
            (h for k in error.schema["keys"] if (h := did_you_mean(k, error.schema["known"])).startswith("did")), ""
        )
        yield Problem(
            "E211",
            error.message,
            where.key_mark,
            path,
            hint or phrase("one of {names}", names=error.schema["known"][:30]),
        )
    elif _is_name(error):
        where = where.children.get(error.instance, where)
        path = f"{path}.{error.instance}" if path else str(error.instance)
        hint = (
            "letters, digits and _ in small letters"
            if "_" in str(error.validator_value)
            else "small letters, digits and -"
        )
        yield Problem("E207", phrase("'{name}' is not a key", name=error.instance), where.key_mark, path, hint)
    else:
        code, message, hint = _wording(keyword, error, found, where)
        yield Problem(code, message, where.mark, path, hint)


def _is_name(error: Any) -> bool:
    return "propertyNames" in error.absolute_schema_path


def _unknown_keys(error: Any, where: Place, path: str) -> Iterator[Problem]:
    known = error.schema.get("properties", {})
    patterns = list(error.schema.get("patternProperties", {}))
    for key in error.instance:
        if key not in known and not any(re.search(p, key) for p in patterns):
            spot = where.children.get(key, where)
            is_cut = any(key.count(a) != key.count(b) for a, b in ("()", "[]", "{}"))  # YAML ended a formula at a comma
            yield Problem(
                "E203",
                phrase("unknown key '{name}'", name=key),
                spot.key_mark,
                f"{path}.{key}" if path else key,
                "quote the formula" if is_cut else _meant(key, known, error.schema),
            )


def _meant(key: str, known: Mapping[str, Any], schema: Schema) -> str:
    """The hint for a key that is not known: `x-meant` says what certain keys are called here, or where they belong."""
    meant: Mapping[str, str] = schema.get("x-meant", {})
    near = did_you_mean(key, known)
    if key not in meant and near.startswith("did"):
        return near
    return meant.get(key, "") or meant.get("", "") or near


def _wording(keyword: str, error: Any, found: Any, where: Place) -> tuple[str, str, str]:
    shown = _shown(found, where)
    if keyword in ("type", "anyOf"):
        expected = _expected(error)
        if found is None:
            return "E205", phrase("expected {expected}, found nothing", expected=expected), ""
        if expected == (_NOUNS["boolean"],) and shown.lower() in ("yes", "no", "on", "off", "'yes'", "'no'"):
            said: str = phrase("write true or false")
        else:
            own = str(error.schema.get("x-hint", "")) if isinstance(error.schema, Mapping) else ""
            said = own or _form_hint(expected, found, error.schema)
        return "E205", phrase("expected {expected}, found {shown}", expected=expected, shown=shown), said
    if keyword in ("enum", "const"):
        options = error.validator_value if keyword == "enum" else [error.validator_value]
        return (
            "E206",
            phrase("{shown} is not known here", shown=shown),
            did_you_mean(_shown(found), [_shown(o) for o in options]),
        )
    if keyword == "maxProperties":
        return "E208", phrase("at most {limit} entries", limit=error.validator_value), ""
    if keyword in ("minItems", "minProperties"):
        return "E208", "must not be empty", ""
    if keyword == "maxItems":
        return "E208", phrase("at most {limit} items", limit=error.validator_value), ""
    if keyword == "minimum":
        return (
            "E208",
            phrase("{shown} is less than {limit}", shown=shown, limit=error.validator_value),
            "",
        )
    if keyword == "maximum":
        return (
            "E208",
            phrase("{shown} is more than {limit}", shown=shown, limit=error.validator_value),
            "",
        )
    hint = str(error.schema.get("x-hint", "")) if isinstance(error.schema, Mapping) else ""
    return (
        "E208",
        error.message if keyword in ("pattern", "minLength") else phrase("{shown} does not fit here", shown=shown),
        hint,
    )


def _form_hint(expected: tuple[str, ...], found: Any, schema: Any) -> str:
    """The hint where something else stands for a mapping or a list: YAML's dashes are easily mistaken."""
    if expected == (_NOUNS["array"],) and isinstance(found, dict):
        return "begin each entry with a dash: '- …'"
    if expected != (_NOUNS["object"],):
        return ""
    needed = schema.get("required", ()) if isinstance(schema, Mapping) else ()
    if needed:
        return phrase("write {{{names}}}", names=[f"{key}: …" for key in needed])
    if isinstance(found, list):
        key = item_key(found[0]) if found else None
        return phrase("without dashes, each under a key of its own: '{key}: …'", key=key or "key")
    return ""


def _expected(error: Any) -> tuple[str, ...]:
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    if "x-expected" in schema:
        said = schema["x-expected"]
        return (said if isinstance(said, Phrase) else as_it_is(said),)
    if error.validator == "anyOf":
        names = [n for branch in error.validator_value for n in _names(branch)]
    else:
        value = error.validator_value
        names = _names({"type": value})
    return tuple(dict.fromkeys(names)) or (phrase("something else"),)


def _names(schema: Any) -> list[str]:
    if not isinstance(schema, Mapping):
        return []
    if "anyOf" in schema:
        return [n for branch in schema["anyOf"] for n in _names(branch)]
    if "enum" in schema:
        return [_shown(v) for v in schema["enum"]]
    if "const" in schema:
        return [_shown(schema["const"])]
    kinds = schema.get("type", [])
    return [_NOUNS[k] for k in ([kinds] if isinstance(kinds, str) else kinds)]


def _fitting_branch(error: Any) -> list[Any] | None:
    """The errors of the only branch whose outer type fits, if there is one."""
    branches: dict[Any, list[Any]] = {}
    for each in error.context or ():
        branches.setdefault(each.schema_path[0], []).append(each)
    fitting = [
        errors
        for errors in branches.values()
        if not any(e.validator in ("type", "enum", "const") and not e.path for e in errors)
    ]
    return fitting[0] if len(fitting) == 1 else None


def _locate(data: Any, place: Place, keys: list[Any]) -> tuple[Any, Place, str]:
    names: list[str] = []
    for key in keys:
        if key not in place.children:
            break
        data, place = data[key], place.children[key]
        names.append(str(key) if isinstance(key, str) else (item_key(data) or str(key)))
    return data, place, ".".join(names)


def _shown(value: Any, place: Place | None = None) -> str:
    if isinstance(value, dict):
        return _NOUNS["object"]
    if isinstance(value, list):
        return _NOUNS["array"]
    if value is None:
        return _NOUNS["null"]
    if isinstance(value, bool):
        return "true" if value else "false"
    text = place.raw if place is not None and place.raw is not None else str(value)
    text = text if len(text) <= 60 else text[:57] + "…"
    return f"'{text}'" if isinstance(value, str) and place is not None else text


def export(schema: Any) -> Any:
    """The schema in plain draft 7, for editors: our own keywords written out."""
    if isinstance(schema, list):
        return [export(s) for s in schema]
    if not isinstance(schema, Mapping):
        return str(schema) if isinstance(schema, Decimal) else schema
    plain = {k: export(v) for k, v in schema.items() if not k.startswith("x-")}
    if (told := schema.get("description")) and (without := schema.get("x-default")):
        plain["description"] = f"{told}; without it: {without}"
    if (told := plain.get("description")) and (example := schema.get("x-example")):
        plain["description"] = f"{told} · {example}"
    if plain.get("type") == "string" and "pattern" not in plain:
        plain["type"] = ["string", "number", "boolean"]  # where text is expected the characters as written count
    extra: list[Any] = []
    if cases := schema.get("x-cases"):
        name = cases["property"]
        plain.setdefault("properties", {}).setdefault(name, {"enum": list(cases["cases"])})
        for value, then in cases["cases"].items():
            test = {
                "properties": {name: {"const": value}},
                **({} if cases.get("default") == value else {"required": [name]}),
            }
            extra.append({"if": test, "then": export(then)})
    if forms := schema.get("x-forms"):
        extra.append({"anyOf": [{"required": [k]} for k in forms["keys"]]})
        extra += [{"if": {"required": [k]}, "then": export(then)} for k, then in forms["keys"].items()]
    if extra:
        plain["allOf"] = [*plain.get("allOf", []), *extra]
    return plain
