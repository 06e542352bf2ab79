"""Values with parts: a person's name, an address, a point on the map."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from trellis.formula.types import ADDRESS, LOCATION, NAME, Location, Type, Value
from trellis.model.choice import find_choice
from trellis.model.fields.base import FieldType, Invalid, blank, wrong_kind
from trellis.model.fields.option import option
from trellis.model.fields.registry import field_type
from trellis.model.fields.text import clean, one_line
from trellis.model.known import known_choices, known_keys
from trellis.model.locales import babel_locale
from trellis.model.postal import address_lines, country_rules, is_local

if TYPE_CHECKING:
    from trellis.formula.reader import Reader

LONGEST_PART = 500
NAME_PARTS = ("title", "first", "middle", "last", "suffix")
ADDRESS_PARTS = ("street", "street2", "city", "postcode", "region", "country")


@dataclass(frozen=True, kw_only=True)
class Parted(FieldType):
    """What names and addresses share: texts by part in one JSONB column."""

    parts: ClassVar[tuple[str, ...]]
    operators: ClassVar[tuple[str, ...]] = ("contains", "is_blank", "is_not_blank")

    def columns(self) -> Mapping[str, TypeEngine[Any]]:
        return {"": JSONB(none_as_null=True)}

    def json_schema(self) -> dict[str, Any]:
        return {"type": "object", "properties": {part: {"type": "string"} for part in self.parts}}

    def json_input(self) -> dict[str, Any]:
        return {"oneOf": [self.json_schema(), {"type": "string"}]}

    def from_text(self, text: str, reader: Reader) -> dict[str, str]:
        """The parts of a value that was written as one text."""
        raise NotImplementedError

    def to_text(self, value: Mapping[str, str]) -> str:
        """The value as one text, the same for every reader."""
        raise NotImplementedError

    def parse(self, raw: Any, reader: Reader) -> Value:
        if blank(raw):
            return None
        if isinstance(raw, str):
            if raw.lstrip().startswith("{"):
                try:
                    return self.parse(json.loads(raw), reader)
                except ValueError as fault:
                    raise wrong_kind("JSON") from fault
            return self.from_text(clean(raw).strip(), reader) or None
        if not isinstance(raw, Mapping):
            raise wrong_kind("an object with parts")
        if unknown := [key for key in raw if key not in self.parts]:
            raise Invalid("invalid", "There is no part “{part}” here.", part=str(unknown[0])[:40])
        given = ((part, raw.get(part)) for part in self.parts)
        found = {part: self.read_part(part, value, reader) for part, value in given if not blank(value)}
        return {part: text for part, text in found.items() if text} or None

    def read_part(self, part: str, value: Any, reader: Reader) -> str:
        """One part as given."""
        return one_line(value)

    def check(self, value: Value) -> Iterator[Invalid]:
        if any(len(text) > LONGEST_PART for text in value.values()):
            yield Invalid("length", "Must be at most {max} characters long.", max=LONGEST_PART)

    def write_text(self, value: Value, reader: Reader) -> str:
        if not value:
            return ""
        text = self.to_text(value)
        same = not text.startswith("{") and self.from_text(text, reader) == value
        return text if same else json.dumps(value, ensure_ascii=False)

    def search_text(self, value: Value) -> str:
        return " ".join((value or {}).values())


_CJK = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0002ffff]+")
# Chinese family names of two characters that are common enough to be expected.
_DOUBLE = frozenset(
    "欧阳 司马 上官 诸葛 东方 皇甫 尉迟 公孙 慕容 令狐 长孙 宇文 司徒 夏侯 司空 端木 百里 南宫 独孤".split()
)
_FAMILY_FIRST = frozenset({"zh", "ja", "ko", "hu", "vi"})
_TITLES = frozenset(
    {"dr", "prof", "mr", "mrs", "ms", "herr", "frau", "ing", "dipl", "med", "mag", "sir", "dame", "rev"}
)
_SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv", "phd", "md", "mba", "esq"})


def _bare(word: str) -> str:
    return word.lower().replace(".", "").replace("-", "").strip(",")


def _is_title(word: str) -> bool:
    return _bare(word) in _TITLES or (word.endswith(".") and _bare(word.split("-")[0]) in _TITLES)


@field_type("name")
@dataclass(frozen=True, kw_only=True)
class Name(Parted):
    """A person's name in parts, ordered as its culture does."""

    doc: ClassVar[str] = "A person's name: `.title .first .middle .last .suffix`, shown in the order of its culture."
    widget: ClassVar[str] = "name"
    cell: ClassVar[str] = "name"
    parts: ClassVar[tuple[str, ...]] = NAME_PARTS

    def formula_type(self) -> Type:
        return NAME

    def from_text(self, text: str, reader: Reader) -> dict[str, str]:
        text = one_line(text)
        if _CJK.fullmatch(text) and len(text) > 1:
            family = 2 if len(text) > 2 and text[:2] in _DOUBLE else 1
            return {"first": text[family:], "last": text[:family]}
        if "," in text and len(halves := [half.strip() for half in text.split(",", 1)]) == 2 and all(halves):
            if _bare(halves[1]) not in _SUFFIXES:
                return {**self.from_text(f"{halves[1]} {halves[0].replace(' ', chr(0xA0))}", reader), "last": halves[0]}
            text = " ".join(halves)
        words = text.split(" ")
        front, back = 0, len(words)
        while front < back - 1 and _is_title(words[front]):
            front += 1
        while back > front + 1 and _bare(words[back - 1]) in _SUFFIXES:
            back -= 1
        found = {"title": " ".join(words[:front]), "suffix": " ".join(words[back:])}
        middle = words[front:back]
        if len(middle) == 1:
            found["last" if front else "first"] = middle[0]
        else:
            # Small words before the last name belong to it: van der Berg, von Arnim, de la Cruz.
            start = len(middle) - 1
            while start > 1 and middle[start - 1].islower():
                start -= 1
            found |= {"first": middle[0], "middle": " ".join(middle[1:start]), "last": " ".join(middle[start:])}
        return {part: found[part] for part in self.parts if found.get(part)}

    def to_text(self, value: Mapping[str, str]) -> str:
        first, last = value.get("first", ""), value.get("last", "")
        if _CJK.fullmatch(first + last):
            return " ".join(
                filter(None, (value.get("title"), last + value.get("middle", "") + first, value.get("suffix")))
            )
        return " ".join(value[part] for part in self.parts if value.get(part))

    def display(self, value: Value, reader: Reader) -> str:
        if not value:
            return ""
        language = babel_locale(reader.language).language
        if language in _FAMILY_FIRST and language not in ("zh", "ja", "ko"):
            order = ("title", "last", "middle", "first", "suffix")
            return " ".join(value[part] for part in order if value.get(part))
        return self.to_text(value)


@field_type("address")
@dataclass(frozen=True, kw_only=True)
class Address(Parted):
    """A postal address in parts, written as its country does."""

    doc: ClassVar[str] = "A postal address: `.street .street2 .city .postcode .region .country` (ISO 3166)."
    widget: ClassVar[str] = "address"
    cell: ClassVar[str] = "address"
    parts: ClassVar[tuple[str, ...]] = ADDRESS_PARTS
    can_sort: ClassVar[bool] = True

    complete: bool = option(False, "with a country, what that country asks for must be there")

    def formula_type(self) -> Type:
        return ADDRESS

    def parse(self, raw: Any, reader: Reader) -> Value:
        value = super().parse(raw, reader)
        rules = country_rules(value.get("country", "")) if value else None
        if rules is None or "postcode" not in value:
            return value
        return {part: rules.tidy(text) if part == "postcode" else text for part, text in value.items()}

    def read_part(self, part: str, value: Any, reader: Reader) -> str:
        text = one_line(value)
        if part != "country":
            return text
        if text.upper() in known_keys("countries"):
            return text.upper()
        found = find_choice(known_choices("countries"), text)
        return found.key if found else text

    def check(self, value: Value) -> Iterator[Invalid]:
        yield from super().check(value)
        country = value.get("country")
        if country is not None and country not in known_keys("countries"):
            yield Invalid("choice", "“{value}” is not a country. Write its two letters, like DE.", value=country[:40])
            return
        rules = country_rules(country) if country else None
        if rules is None:
            return
        postcode = value.get("postcode")
        if postcode and not rules.takes(postcode):
            said = "“{value}” is not a postcode of this country; one looks like {example}."
            yield Invalid("postcode", said, value=postcode[:20], example=rules.example or rules.prefix)
        lacks = {
            "street": "This country asks for a street.",
            "city": "This country asks for a city.",
            "region": "This country asks for a region.",
            "postcode": "This country asks for a postcode.",
        }
        if self.complete:
            yield from (Invalid("required", text) for p, text in lacks.items() if p in rules.required - value.keys())

    def from_text(self, text: str, reader: Reader) -> dict[str, str]:
        """Lines: a street, a postcode with its town, a country; what cannot be told apart stays in the street."""
        lines = [line.strip() for line in re.split(r"\n|,\s+", text) if line.strip()]
        found: dict[str, str] = {}
        if len(lines) > 1 and (country := self._country(lines[-1])):
            found["country"] = country
            lines.pop()
        if len(lines) > 1 and (match := re.fullmatch(r"(?:[A-Z]{1,2}-)?(\d{4,6}) (\D+)", lines[-1])):
            found["postcode"], found["city"] = match[1], match[2]
            lines.pop()
        if lines:
            found["street"] = lines[0]
        if len(lines) > 1:
            found["street2"] = ", ".join(lines[1:])
        return {part: found[part] for part in self.parts if part in found}

    @staticmethod
    def _country(text: str) -> str | None:
        found = find_choice(known_choices("countries"), text) if not text.isupper() or len(text) == 2 else None
        return found.key if found else None

    def to_text(self, value: Mapping[str, str]) -> str:
        town = " ".join(value[part] for part in ("postcode", "city", "region") if value.get(part))
        return "\n".join(
            part for part in (value.get("street"), value.get("street2"), town, value.get("country")) if part
        )

    def display(self, value: Value, reader: Reader) -> str:
        if not value:
            return ""
        country = value.get("country") or reader.region
        named = babel_locale(reader.language).territories.get(country, country) if country != reader.region else ""
        rules = country_rules(country)
        if rules is None:
            return "\n".join(filter(None, (value.get(part) for part in self.parts)))
        local = is_local(value)
        lines = address_lines(value, rules)
        from_the_top = rules.order(local=local)[0] == "country"
        return "\n".join(filter(None, [named, *lines] if from_the_top else [*lines, named]))


@field_type("location")
@dataclass(frozen=True, kw_only=True)
class LocationField(FieldType):
    """A point on the earth, in degrees."""

    doc: ClassVar[str] = "A point on the earth: latitude and longitude in degrees (WGS 84)."
    widget: ClassVar[str] = "location"
    cell: ClassVar[str] = "location"
    operators: ClassVar[tuple[str, ...]] = ("is_blank", "is_not_blank")
    can_sort: ClassVar[bool] = False

    def formula_type(self) -> Type:
        return LOCATION

    def columns(self) -> Mapping[str, TypeEngine[Any]]:
        """The latitude under the field's own name, so that every field has that column; the longitude beside it."""
        return {"": sa.Double(), "_longitude": sa.Double()}

    def to_columns(self, value: Value) -> dict[str, Any]:
        if value is None:
            return {"": None, "_longitude": None}
        return {"": value.latitude, "_longitude": value.longitude}

    def from_columns(self, columns: Mapping[str, Any]) -> Value:
        return None if columns[""] is None else Location(columns[""], columns["_longitude"])

    def parse(self, raw: Any, reader: Reader) -> Value:
        if blank(raw):
            return None
        if isinstance(raw, Location):
            return raw
        if isinstance(raw, Mapping):
            raw = (raw.get("latitude"), raw.get("longitude"))
            if blank(raw[0]) and blank(raw[1]):
                return None
        if isinstance(raw, str):
            raw = re.split(r"\s*[;,，]\s*|\s+", raw.strip().removeprefix("geo:"))
        try:
            latitude, longitude = (float(part) for part in raw)
        except (TypeError, ValueError) as fault:
            raise wrong_kind("latitude and longitude") from fault
        return Location(latitude, longitude)

    def check(self, value: Value) -> Iterator[Invalid]:
        if not (-90 <= value.latitude <= 90 and -180 <= value.longitude <= 180):
            yield Invalid("range", "The latitude lies between -90 and 90, the longitude between -180 and 180.")

    def json_schema(self) -> dict[str, Any]:
        parts = {"latitude": {"type": "number"}, "longitude": {"type": "number"}}
        return {"type": "object", "properties": parts, "required": ["latitude", "longitude"]}

    def json_input(self) -> dict[str, Any]:
        return {"oneOf": [self.json_schema(), {"type": "string"}]}

    def to_json(self, value: Value) -> Any:
        return None if value is None else {"latitude": value.latitude, "longitude": value.longitude}

    def write_text(self, value: Value, reader: Reader) -> str:
        return "" if value is None else f"{value.latitude!r}, {value.longitude!r}"

    def display(self, value: Value, reader: Reader) -> str:
        return "" if value is None else f"{value.latitude:.5f}, {value.longitude:.5f}"

    def search_text(self, value: Value) -> str:
        return ""
