"""What a field type is: column, widget, display, filter operators, text, JSON and formula type in one class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy.types import TypeEngine

from trellis.config.phrase import Phrase, phrase
from trellis.formula.types import TEXT, Type, Value

if TYPE_CHECKING:
    from trellis.formula.reader import Reader


class Invalid(ValueError):
    """A value that a field does not take. `message` is a msgid: English with {placeholders} for `params`.

    A tuple among the params is an enumeration.
    """

    def __init__(self, code: str, message: str, **params: object) -> None:
        said = {name: ", ".join(map(str, part)) if isinstance(part, tuple) else part for name, part in params.items()}
        super().__init__(message.format(**said))
        self.code = code
        self.message = message
        self.params = params


def said_by(error: Exception) -> str:
    """What an exception says of a value or an option, so that it can be said in other languages where it is ours."""
    if isinstance(error, Invalid):
        params = {name: list(part) if isinstance(part, tuple) else part for name, part in error.params.items()}
        return phrase(error.message, **params)
    first = error.args[0] if error.args else ""
    return first if isinstance(first, Phrase) else str(error)


@dataclass(frozen=True, kw_only=True)
class FieldType:
    """A field type with its options; subclasses are frozen dataclasses whose attributes are the options in the YAML.

    A value is None when blank. `parse` and `read_text` raise Invalid; everything else trusts its input.
    """

    name: ClassVar[str]
    doc: ClassVar[str] = ""  # one line for the reference
    widget: ClassVar[str] = "text"  # the editor: a template in web/templates/widgets
    cell: ClassVar[str] = "text"  # how it is shown: a renderer in web/cells
    operators: ClassVar[tuple[str, ...]] = ("==", "!=", "is_blank", "is_not_blank")
    is_numeric: ClassVar[bool] = False  # right-aligned, can be summed
    can_sort: ClassVar[bool] = True
    can_group: ClassVar[bool] = False
    is_write_only: ClassVar[bool] = False  # the API takes it and never gives it back

    def formula_type(self) -> Type:
        """What a formula sees."""
        return TEXT

    def formula_value(self, value: Value) -> Value:
        """A value as a formula sees it: several e-mail addresses read as the first."""
        return value

    def columns(self) -> Mapping[str, TypeEngine[Any]]:
        """The columns by suffix: "" is the field's own name, "_currency" adds one beside it. Empty: no column."""
        raise NotImplementedError

    def to_columns(self, value: Value) -> dict[str, Any]:
        """A value as column values by suffix."""
        return {"": value}

    def from_columns(self, columns: Mapping[str, Any]) -> Value:
        """Column values by suffix as a value."""
        return columns[""]

    def parse(self, raw: Any, reader: Reader) -> Value:
        """What a form, the API (JSON) or a program gives, as a value; blank text is None. Raises Invalid.

        Numbers and dates in text are read as the reader's language writes them first, then as programs do.
        """
        raise NotImplementedError

    def check(self, value: Value) -> Iterator[Invalid]:
        """What is wrong with a value that is not blank (range, length, items).

        A bound that is a formula (`min: =today()`) is the door's to compute and compare.
        """
        return iter(())

    def same(self, one: Value, other: Value) -> bool:
        """Whether two values mean the same to whoever typed them: an import skips what is the same."""
        return bool(one == other)

    def to_json(self, value: Value) -> Any:
        """A value for the API and the history: exact, `parse` takes it back."""
        return value

    def json_schema(self) -> dict[str, Any]:
        """The JSON Schema (2020-12) of what `to_json` gives for a value that is not blank."""
        return {"type": "string"}

    def json_input(self) -> dict[str, Any]:
        """The JSON Schema of what the API takes, where that is more than it gives."""
        return self.json_schema()

    def write_text(self, value: Value, reader: Reader) -> str:
        """A value for CSV: exact, language-neutral, `read_text` takes it back."""
        return "" if value is None else str(self.to_json(value))

    def read_text(self, text: str, reader: Reader) -> Value:
        """A CSV cell as a value. Raises Invalid."""
        return self.parse(text, reader)

    def read_cell(self, text: str, reader: Reader, *, neutral: bool) -> Value:
        """A cell of a file that is imported: written as programs do, or in the reader's language. Raises Invalid."""
        return self.read_text(text, reader) if neutral else self.parse(text, reader)

    def display(self, value: Value, reader: Reader) -> str:
        """A value for a person, by the reader's language and settings."""
        return self.write_text(value, reader)

    def search_text(self, value: Value) -> str:
        """What the full text search finds the record by."""
        return "" if value is None else str(value)


def blank(raw: Any) -> bool:
    """Whether what was given says "no value"."""
    return raw is None or raw == "" or (isinstance(raw, str) and not raw.strip())


def wrong_kind(what: str) -> Invalid:
    """The refusal of something that is not even of the right shape."""
    return Invalid("invalid", f"Expected {what}.")


def compare_bounds(value: Any, low: Any, high: Any, show: Any = str) -> Iterator[Invalid]:
    """The refusals of a value outside its bounds; bounds that are formulas are left to the door."""
    if low is not None and not hasattr(low, "evaluate") and value < low:
        yield Invalid("range", "Must be at least {min}.", min=show(low))
    if high is not None and not hasattr(high, "evaluate") and value > high:
        yield Invalid("range", "Must be at most {max}.", max=show(high))
