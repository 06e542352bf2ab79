"""The controls of public forms: plain ones that need no script, whatever page they stand in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import request

from trellis.automation.forms.form import Form
from trellis.formula.reader import Reader
from trellis.model.field import Field
from trellis.web.widgets.files import file_of, size_text, token_of

# by type: how it is drawn; everything else is a line of text
KINDS: Mapping[str, str] = {
    "email": "email",
    "phone": "tel",
    "url": "url",
    "long_text": "area",
    "integer": "number",
    "decimal": "number",
    "percent": "number",
    "money": "number",
    "rating": "select",
    "date": "date",
    "datetime": "datetime-local",
    "time": "time",
    "choice": "select",
    "choices": "checks",
    "boolean": "tick",
    "file": "file",
    "image": "file",
}
COMPLETES: Mapping[str, str] = {"email": "email", "phone": "tel", "url": "url", "name": "name"}
BY_KEY: Mapping[str, str] = {"company": "organization", "job_title": "organization-title"}


@dataclass(frozen=True)
class Control:
    """A field as a stranger sees it."""

    field: Field
    kind: str
    label: str
    help: str
    required: bool
    options: Sequence[tuple[str, str]] = ()
    value: Any = ""
    errors: Sequence[str] = ()
    unit: str = ""

    @property
    def name(self) -> str:
        """The name in the form."""
        return self.field.key

    @property
    def complete(self) -> str:
        """What a browser may fill in by itself."""
        return BY_KEY.get(self.field.key) or COMPLETES.get(self.field.type.name, "")

    @property
    def max_length(self) -> int | None:
        """How much may be typed."""
        return getattr(self.field.type, "max_length", None)

    @property
    def accepts(self) -> str:
        """The kinds of files that are taken."""
        return ",".join(getattr(self.field.type, "accepted", ()) or ())

    @property
    def files(self) -> Sequence[tuple[str, str, str]]:
        """The files that are held: token, name, size."""
        return [(token_of(f), str(f.get("name")), size_text(int(f.get("size") or 0))) for f in self.value or ()]


def controls_of(
    form: Form, reader: Reader, typed: Mapping[str, Any], wrong: Mapping[str, Sequence[str]]
) -> list[Control]:
    """The controls of a form with what was typed and what is wrong with it."""
    return [
        Control(
            field,
            KINDS.get(field.type.name, "text"),
            form.label_of(field, reader.language),
            field.help.in_language(reader.language) if field.help else "",
            form.is_required(field),
            options_of(field, reader),
            typed.get(field.key, _preset(field)),
            wrong.get(field.key, ()),
            reader.currency if field.type.name == "money" else "%" if field.type.name == "percent" else "",
        )
        for field in form.fields
    ]


def options_of(field: Field, reader: Reader) -> Sequence[tuple[str, str]]:
    """What may be chosen: key and label."""
    if field.type.name == "rating":
        return [(str(n), "★" * n) for n in range(1, int(getattr(field.type, "max", 5)) + 1)]
    listed = getattr(field.type, "options", None)
    return [(c.key, c.label.in_language(reader.language)) for c in listed()] if callable(listed) else ()


def typed_into(form: Form) -> dict[str, Any]:
    """What this request has sent for the form's fields, and nothing else of it."""
    found: dict[str, Any] = {}
    for field in form.fields:
        kind = KINDS.get(field.type.name, "text")
        if kind == "file":
            tokens = request.form.getlist(f"{field.key}.kept")
            found[field.key] = [file for token in tokens if (file := file_of(token)) is not None]
        elif kind == "checks":
            found[field.key] = [text for text in request.form.getlist(field.key) if text]
        elif kind == "tick":
            found[field.key] = field.key in request.form
        else:
            found[field.key] = request.form.get(field.key, "").replace("\r\n", "\n").strip()
    return found


def _preset(field: Field) -> Any:
    """What the address sets (?topic=…), for texts and choices."""
    kind = KINDS.get(field.type.name, "text")
    return request.args.get(field.key, "")[:300] if kind in ("text", "email", "tel", "url", "select") else ""
