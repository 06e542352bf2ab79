"""The widgets of the gallery that show neither reports nor records: texts, pages of other sites."""

from __future__ import annotations

from typing import ClassVar

from flask_babel import gettext as _

from trellis.web.dashboards.gallery.controls import Control, Desk
from trellis.web.dashboards.gallery.registry import Data, Kind, Size, offered


@offered("text")
class Note(Kind):
    """A note."""

    icon: ClassVar[str] = "note"
    sizes: ClassVar[tuple[Size, Size, Size]] = ((4, 3), (6, 3), (12, 2))

    def words(self) -> tuple[str, str]:
        """What it is called, and what it is for."""
        return _("Text"), _("A note for everybody who looks")

    def controls(self, desk: Desk) -> list[Control]:
        """What it says."""
        hint = _("**bold**, *italic*, - lists, [links](https://…)")
        return [Control("text", _("Text"), "area", desk.said("text"), hint=str(hint))]

    def data(self, desk: Desk) -> Data:
        """What it says."""
        return {"text": desk.said("text").replace("\r\n", "\n")}

    def given(self, data: Data) -> dict[str, list[str]]:
        """What it says."""
        return {"text": [str(data.get("text", ""))]}

    def label(self, desk: Desk) -> str:
        """What the kind is called."""
        return self.words()[0]

    def lacks(self, desk: Desk) -> dict[str, str]:
        """What it says."""
        return {} if desk.said("text") else {"text": str(_("This is needed."))}


@offered("page")
class Page(Kind):
    """A page of another site."""

    icon: ClassVar[str] = "world"
    needs: ClassVar[str] = "admin"  # what it shows is shown to everybody who looks
    sizes: ClassVar[tuple[Size, Size, Size]] = ((6, 6), (6, 8), (12, 8))

    def words(self) -> tuple[str, str]:
        """What it is called, and what it is for."""
        return _("Page"), _("A page of another site")

    def controls(self, desk: Desk) -> list[Control]:
        """Its address."""
        return [Control("page", _("Address"), "text", desk.said("page"), placeholder="https://")]

    def data(self, desk: Desk) -> Data:
        """Its address."""
        return {"page": desk.said("page")}

    def given(self, data: Data) -> dict[str, list[str]]:
        """Its address."""
        return {"page": [str(data.get("page", ""))]}

    def label(self, desk: Desk) -> str:
        """What the kind is called."""
        return self.words()[0]

    def lacks(self, desk: Desk) -> dict[str, str]:
        """Its address."""
        return {} if desk.said("page") else {"page": str(_("This is needed."))}
