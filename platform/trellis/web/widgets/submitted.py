"""What a page sent, by dotted names: `amount.currency`, `lines.2.quantity`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from werkzeug.datastructures import FileStorage, MultiDict

PRESENT = "_has"
"""Names the widgets that were on the page: what is unticked or emptied sends nothing of its own."""


@dataclass(frozen=True)
class Submitted:
    """A submitted form, or the part of it below `prefix`."""

    form: MultiDict[str, str]
    files: MultiDict[str, FileStorage]
    prefix: str = ""

    def __len__(self) -> int:
        return len(self.form)

    @cached_property
    def present(self) -> frozenset[str]:
        """The full names of the widgets that were on the page."""
        return frozenset(self.form.getlist(PRESENT))

    def has(self, name: str) -> bool:
        """Was the widget on the page?"""
        return self.prefix + name in self.present

    def text(self, name: str) -> str | None:
        """What was typed, None if nothing was."""
        text = self.form.get(self.prefix + name)
        if text is None:
            return None
        text = text.replace("\r\n", "\n")
        return text if text.strip() else None

    def texts(self, name: str) -> list[str]:
        """Every value that was given under the name, blanks left out."""
        return [t for t in self.form.getlist(self.prefix + name) if t.strip()]

    def upload(self, name: str) -> Sequence[FileStorage]:
        """The files that were chosen under the name."""
        return [f for f in self.files.getlist(self.prefix + name) if f.filename]

    def below(self, name: str) -> Submitted:
        """The part of the form below a name."""
        return Submitted(self.form, self.files, f"{self.prefix}{name}.")

    def rows(self, name: str) -> list[Submitted]:
        """The rows of a repeated widget in the order they had on the page; their numbers may have gaps."""
        start = f"{self.prefix}{name}."
        numbers: dict[str, None] = {}
        names = [*self.form.getlist(PRESENT), *self.form.keys()]
        for key in names:
            if key.startswith(start):
                number = key[len(start) :].split(".", 1)[0]
                if number.isdigit():
                    numbers[number] = None
        return [self.below(f"{name}.{number}") for number in numbers]
