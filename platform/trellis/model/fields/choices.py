"""Fields with given values: one choice, several, yes or no, tags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine

from trellis.formula.types import BOOLEAN, TEXT, Type, Value, list_of
from trellis.model.choice import Choice, choices_by_key, find_choice
from trellis.model.fields.base import FieldType, Invalid, blank, wrong_kind
from trellis.model.fields.option import option
from trellis.model.fields.registry import field_type
from trellis.model.fields.text import one_line
from trellis.model.known import KNOWN_LISTS, known_choices

if TYPE_CHECKING:
    from trellis.formula.reader import Reader

CHOICES_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "string"},
        {
            "type": "array",
            "items": {"anyOf": [{"type": ["string", "number", "boolean"]}, {"type": "object", "minProperties": 1}]},
        },
        {
            "type": "object",
            "properties": {"from": {"enum": [*KNOWN_LISTS, "entities"]}},
        },
    ]
}
MOST_ITEMS = 1000  # where a field does not say another number
FEW = 10  # choices that a refusal enumerates; of more, somebody looks at the list
_CHOICES_DOC = (
    "the values: a list, the key of a `choices:` document, or `{from: countries | currencies | languages | …}`"
)


def read_items(raw: Any) -> list[str]:
    """Several texts as given: a list, or text with one item per line, or with semicolons, else commas, between."""
    if isinstance(raw, str):
        split = "\n" if "\n" in raw else ";" if ";" in raw else "," if "," in raw else "，" if "，" in raw else "\n"
        raw = raw.split(split)
    if not isinstance(raw, (list, tuple, set, frozenset)):
        raise wrong_kind("a list")
    return [item for item in (one_line(part) for part in raw if part is not None) if item]


def write_items(items: Sequence[str]) -> str:
    """Several texts as one that `read_items` takes apart again."""
    if len(items) > 1 and not any(";" in item for item in items):
        return "; ".join(items)
    # One item per line; a line feed says so even when there is only one and it holds a separator.
    return "\n".join(items) + ("\n" if any(mark in item for item in items for mark in ";,，") else "")


@dataclass(frozen=True, kw_only=True)
class ChoiceLike(FieldType):
    """What choice and choices share: the values, and finding the one that is meant."""

    choices: tuple[Choice, ...] | str = option((), _CHOICES_DOC, CHOICES_SCHEMA)

    def options(self) -> tuple[Choice, ...]:
        """The values in order; a list of the platform's is read when asked for."""
        return known_choices(self.choices) if isinstance(self.choices, str) else self.choices

    def option(self, key: str) -> Choice | None:
        """The value with the key."""
        return choices_by_key(self.options()).get(key)

    @cached_property
    def value_type(self) -> Type:
        """A text that is one of the values, as a formula sees it."""
        return replace(TEXT, choices=choices_by_key(self.options()) or None)

    def enumeration(self) -> dict[str, Any]:
        """The JSON Schema of one value: a long list of the platform's (countries, …) is not written out."""
        keys = [choice.key for choice in self.options()]
        return {"type": "string", "enum": keys} if keys and not isinstance(self.choices, str) else {"type": "string"}

    def label(self, key: str, reader: Reader) -> str:
        """The label of a value; a value that is no more is shown by its key."""
        found = self.option(key)
        return found.label.in_language(reader.language) if found else key

    def find(self, text: str) -> str:
        """The key that a text means: a key, or a label in any language; what is none is left for `check`."""
        found = find_choice(self.options(), text)
        return found.key if found else text

    def _unknown(self, key: str) -> Iterator[Invalid]:
        if self.option(key) is None:
            known = tuple(choice.label for choice in self.options())
            if 0 < len(known) <= FEW:
                yield Invalid(
                    "choice", "“{value}” is not one of the choices: {choices}.", value=key[:40], choices=known
                )
            else:
                yield Invalid("choice", "“{value}” is not one of the choices.", value=key[:40])


@field_type("choice")
@dataclass(frozen=True, kw_only=True)
class ChoiceField(ChoiceLike):
    """One of the given values."""

    doc: ClassVar[str] = "One of the given values."
    widget: ClassVar[str] = "choice"
    cell: ClassVar[str] = "choice"
    operators: ClassVar[tuple[str, ...]] = ("==", "!=", "in", "not_in", "is_blank", "is_not_blank")
    can_group: ClassVar[bool] = True

    def formula_type(self) -> Type:
        return self.value_type

    def columns(self) -> Mapping[str, TypeEngine[Any]]:
        return {"": sa.Text()}

    def json_schema(self) -> dict[str, Any]:
        return self.enumeration()

    def parse(self, raw: Any, reader: Reader) -> Value:
        if isinstance(raw, Choice):
            return raw.key
        # YAML and JSON programs write true and 1 where the key is the text of it.
        text = str(raw).lower() if isinstance(raw, bool) else raw
        return None if blank(text) else self.find(one_line(text)) or None

    def check(self, value: Value) -> Iterator[Invalid]:
        yield from self._unknown(value)

    def display(self, value: Value, reader: Reader) -> str:
        return "" if value is None else self.label(value, reader)

    def search_text(self, value: Value) -> str:
        found = self.option(value) if value else None
        names = (value, found.label.source, *found.label.translations.values()) if found else (value,)
        return " ".join(dict.fromkeys(name for name in names if name))  # in every language, as imports read it


@dataclass(frozen=True, kw_only=True)
class SeveralTexts(FieldType):
    """What fields with several texts share: the column, the count of the items, the separators."""

    operators: ClassVar[tuple[str, ...]] = ("has", "has_not", "is_blank", "is_not_blank")
    can_sort: ClassVar[bool] = False

    min_items: int | None = option(None, "how many items there must be at least")
    max_items: int | None = option(None, "how many items there may be at most (1,000)")

    def formula_type(self) -> Type:
        return list_of(TEXT)

    def columns(self) -> Mapping[str, TypeEngine[Any]]:
        return {"": ARRAY(sa.Text())}

    def to_columns(self, value: Value) -> dict[str, Any]:
        return {"": list(value) if value else None}

    def from_columns(self, columns: Mapping[str, Any]) -> Value:
        return tuple(columns[""]) if columns[""] else None

    def parse(self, raw: Any, reader: Reader) -> Value:
        if blank(raw):
            return None
        return tuple(dict.fromkeys(found for item in read_items(raw) if (found := self.find(item)))) or None

    def find(self, text: str) -> str:
        """What is stored for an item."""
        return text

    def check(self, value: Value) -> Iterator[Invalid]:
        if self.min_items is not None and len(value) < self.min_items:
            yield Invalid("length", "Must have at least {min} items.", min=self.min_items)
        most = MOST_ITEMS if self.max_items is None else self.max_items
        if len(value) > most:
            yield Invalid("length", "Must have at most {max} items.", max=most)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "array", "items": {"type": "string"}}

    def to_json(self, value: Value) -> Any:
        return list(value) if value else []

    def write_text(self, value: Value, reader: Reader) -> str:
        return write_items(value or ())

    def display(self, value: Value, reader: Reader) -> str:
        return ", ".join(value or ())

    def search_text(self, value: Value) -> str:
        return " ".join(value or ())


@field_type("choices")
@dataclass(frozen=True, kw_only=True)
class ChoicesField(SeveralTexts, ChoiceLike):
    """Several of the given values."""

    doc: ClassVar[str] = "Several of the given values."
    widget: ClassVar[str] = "choices"
    cell: ClassVar[str] = "choices"

    def json_schema(self) -> dict[str, Any]:
        return {"type": "array", "items": self.enumeration()}

    def formula_type(self) -> Type:
        return list_of(self.value_type)

    def find(self, text: str) -> str:
        return ChoiceLike.find(self, text)

    def check(self, value: Value) -> Iterator[Invalid]:
        yield from super().check(value)
        for key in value:
            yield from self._unknown(key)

    def display(self, value: Value, reader: Reader) -> str:
        return ", ".join(self.label(key, reader) for key in value or ())

    def search_text(self, value: Value) -> str:
        return " ".join(ChoiceField(choices=self.choices).search_text(key) for key in value or ())


@field_type("tags")
@dataclass(frozen=True, kw_only=True)
class Tags(SeveralTexts):
    """Words that people attach as they like."""

    doc: ClassVar[str] = "Words that people attach as they like."
    widget: ClassVar[str] = "tags"
    cell: ClassVar[str] = "tags"

    def find(self, text: str) -> str:
        return text.lstrip("#").strip()


@field_type("list")
@dataclass(frozen=True, kw_only=True)
class ListField(SeveralTexts):
    """Texts in an order."""

    doc: ClassVar[str] = "Texts in an order, one a line."
    widget: ClassVar[str] = "list"
    cell: ClassVar[str] = "list"

    def parse(self, raw: Any, reader: Reader) -> Value:
        if blank(raw):
            return None
        items: Sequence[Any] = raw.split("\n") if isinstance(raw, str) else raw
        return tuple(read_items(list(items) if isinstance(items, (list, tuple)) else items)) or None

    def write_text(self, value: Value, reader: Reader) -> str:
        return "\n".join(value or ())


_TRUE = frozenset("true yes y on 1 t x ✓ ja wahr j oui vrai sí si 是 真 对 有".split())
_FALSE = frozenset("false no n off 0 f nein falsch non faux 否 假 不 无".split())


@field_type("boolean")
@dataclass(frozen=True, kw_only=True)
class Boolean(FieldType):
    """Yes or no; `required` means it must be yes."""

    doc: ClassVar[str] = "Yes or no; `required` means it must be yes."
    widget: ClassVar[str] = "boolean"
    cell: ClassVar[str] = "boolean"
    operators: ClassVar[tuple[str, ...]] = ("==",)
    can_group: ClassVar[bool] = True

    def formula_type(self) -> Type:
        return BOOLEAN

    def columns(self) -> Mapping[str, TypeEngine[Any]]:
        return {"": sa.Boolean()}

    def json_schema(self) -> dict[str, Any]:
        return {"type": "boolean"}

    def parse(self, raw: Any, reader: Reader) -> Value:
        if blank(raw):
            return None
        if isinstance(raw, bool):
            return raw
        word = str(raw).strip().casefold()
        if word not in _TRUE and word not in _FALSE:
            raise Invalid("invalid", "“{value}” is neither yes nor no. Write one of the two.", value=word[:40])
        return word in _TRUE

    def write_text(self, value: Value, reader: Reader) -> str:
        return "" if value is None else "true" if value else "false"

    def display(self, value: Value, reader: Reader) -> str:
        # A sign, not a word: the platform's words are translated at the edge.
        return "" if value is None else "✓" if value else "✗"

    def search_text(self, value: Value) -> str:
        return ""
