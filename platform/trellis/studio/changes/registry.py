"""All changes that have a form, by key."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as dc_field
from typing import TYPE_CHECKING, Any, ClassVar

from trellis.studio.writing import Edit, apply_edits, set_translation

if TYPE_CHECKING:
    from werkzeug.datastructures import MultiDict

    from trellis.config.stack import Configuration
    from trellis.model.model import Model
    from trellis.studio.draft import Draft

CHANGES: dict[str, type[Change]] = {}


class Mistaken(Exception):
    """What was typed cannot be done; texts by the form's field, already in the reader's language."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__("; ".join(faults.values()))
        self.faults = dict(faults)


@dataclass(frozen=True)
class Desk:
    """What a change is made upon: the draft, its Model, what the layers say together, the languages that are read."""

    draft: Draft
    model: Model
    configuration: Configuration
    languages: tuple[str, ...]


@dataclass
class Written:
    """What a change writes: edits of documents, and translations by language and path (None: taken out)."""

    edits: list[Edit] = dc_field(default_factory=list)
    texts: list[tuple[str, str, str | None]] = dc_field(default_factory=list)

    def files(self, before: Mapping[str, str]) -> dict[str, str]:
        """The tenant's files with it. Raises CannotWrite."""
        files = apply_edits(before, self.edits)
        for language, path, text in self.texts:
            files = set_translation(files, language, path, text)
        return files


class Change(ABC):
    """A form: what it asks, and what it writes."""

    key: ClassVar[str]
    icon: ClassVar[str]
    template: ClassVar[str]

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    @classmethod
    @abstractmethod
    def label(cls) -> str:
        """What it is called."""

    @classmethod
    @abstractmethod
    def about(cls) -> str:
        """What it is for, in a sentence."""

    @abstractmethod
    def ask(self, given: MultiDict[str, str]) -> dict[str, Any]:
        """What the form's template needs; `given` is what was chosen or typed so far."""

    @abstractmethod
    def write(self, given: MultiDict[str, str]) -> Written:
        """What the answers mean in YAML. Raises Mistaken."""


def change(key: str) -> Callable[[type[Change]], type[Change]]:
    """Register a form under its key in the address."""

    def register(cls: type[Change]) -> type[Change]:
        if key in CHANGES:
            raise ValueError(f"change {key!r} is there already")
        cls.key = key
        CHANGES[key] = cls
        return cls

    return register
