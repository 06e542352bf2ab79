"""The kinds of widgets that the gallery offers: one class each. What a widget's YAML may say is the Model's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar, Protocol

from flask_babel import gettext as _

from trellis.web.context import may
from trellis.web.dashboards.gallery.controls import Control, Desk

MODULES = ("reports", "records", "others")
"""The modules of the kinds, which register themselves when they are imported."""

Data = dict[str, Any]
Size = tuple[int, int]


class Offered(Protocol):
    """A kind of widget in the gallery. `sizes`: small, medium, large."""

    icon: ClassVar[str]
    sizes: ClassVar[tuple[Size, Size, Size]]
    needs: ClassVar[str]

    def words(self) -> tuple[str, str]:
        """What it is called, and what it is for."""

    def controls(self, desk: Desk) -> list[Control]:
        """What is asked."""

    def data(self, desk: Desk) -> Data:
        """What the answers are in YAML."""

    def given(self, data: Data) -> dict[str, list[str]]:
        """What a widget's YAML stands for in the form."""

    def label(self, desk: Desk) -> str:
        """What a widget is called while nobody has said; empty where what it shows has a name."""

    def lacks(self, desk: Desk) -> dict[str, str]:
        """What cannot be left empty, in words, by control."""


class Kind:
    """What most kinds have in common. `needs`: the right of who may put it on a dashboard."""

    needs: ClassVar[str] = ""

    def label(self, desk: Desk) -> str:
        """What it shows has a name."""
        return ""

    def lacks(self, desk: Desk) -> dict[str, str]:
        """Nothing: there is always something chosen."""
        return {}


OFFERED: dict[str, Offered] = {}


def offered(name: str) -> Callable[[type[Offered]], type[Offered]]:
    """Declare what the gallery asks for a kind of widget."""

    def register(cls: type[Offered]) -> type[Offered]:
        OFFERED[name] = cls()
        return cls

    return register


def kinds() -> dict[str, Offered]:
    """Every kind that the gallery knows, by name."""
    for module in MODULES:
        import_module(f"trellis.web.dashboards.gallery.{module}")
    return OFFERED


def offered_kinds() -> list[str]:
    """The kinds that this person may put on a dashboard."""
    return [name for name, kind in kinds().items() if not kind.needs or may(kind.needs)]


@dataclass(frozen=True)
class Sized:
    """A size that is offered."""

    key: str
    label: str
    width: int
    height: int


def sizes_of(kind: str) -> list[Sized]:
    """Small, medium, large."""
    labels = {"s": _("Small"), "m": _("Medium"), "l": _("Large")}
    return [
        Sized(key, str(labels[key]), width, height)
        for key, (width, height) in zip(labels, kinds()[kind].sizes, strict=True)
    ]
