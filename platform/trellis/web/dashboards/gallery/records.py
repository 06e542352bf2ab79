"""The widgets of the gallery that show records: those of a view, the next days, news, what waits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from flask_babel import gettext as _

from trellis.web.dashboards.gallery.controls import Control, Desk
from trellis.web.dashboards.gallery.parts import back, choice, counted, limit
from trellis.web.dashboards.gallery.registry import Data, Kind, Size, offered
from trellis.web.i18n import say

ENTITIES = 8  # of a feed


@offered("list")
class List(Kind):
    """Records of a view."""

    icon: ClassVar[str] = "list"
    sizes: ClassVar[tuple[Size, Size, Size]] = ((4, 5), (6, 6), (12, 6))

    def words(self) -> tuple[str, str]:
        """What it is called, and what it is for."""
        return _("List"), _("Records of a view")

    def controls(self, desk: Desk) -> list[Control]:
        """The entity, its view, whose."""
        chosen = self._entity(desk)
        entities = [(e.key, say(e.plural)) for e in desk.entities]
        found = [Control("entity", _("Records of"), value=chosen, groups=[("", entities)], redraws=True)]
        entity = desk.store.tenant.model.entities.get(chosen)
        if entity is None:
            return found
        views = [(v.key, say(v.label)) for v in entity.views.values() if v.type == "list"]
        views = views if any(key == "all" for key, _label in views) else [*views, ("", str(_("All")))]
        found.append(choice(desk, "view", _("View"), views, views[0][0]))
        if entity.owner_field:
            whose = [("", _("Everybody’s")), ("me", _("Only those of whoever looks"))]
            found.append(choice(desk, "whose", _("Whose"), whose))
        elif desk.said("filter"):
            found.append(Control("filter", _("Condition"), "text", desk.said("filter")))
        return [*found, limit(desk, "20")]

    def _entity(self, desk: Desk) -> str:
        known = [e.key for e in desk.entities]
        usual = next((k for k in ("deal", "lead", "account") if k in known), known[0] if known else "")
        return desk.said("entity") if desk.said("entity") in known else usual

    def data(self, desk: Desk) -> Data:
        """The view, and what narrows it."""
        entity = self._entity(desk)
        views = desk.store.tenant.model.entities[entity].views if entity else {}
        said = desk.said("view", next((v.key for v in views.values() if v.type == "list"), ""))
        view = said if said in views else ""
        found: Data = {"list": f"{entity}.{view}" if view else entity}
        owner = desk.store.tenant.model.entities[entity].owner_field if entity else None
        if desk.said("whose") == "me" and owner:
            found["filter"] = f"{owner} == me"
        elif desk.said("filter"):
            found["filter"] = desk.said("filter")
        return {**found, **counted(desk, "limit")}

    def given(self, data: Data) -> dict[str, list[str]]:
        """The entity, its view, whose."""
        entity, _dot, view = str(data.get("list", "")).partition(".")
        found = {"entity": [entity], "view": [view]}
        where = str(data.get("filter", ""))
        if where.endswith(" == me") and " " not in where.removesuffix(" == me"):
            found["whose"] = ["me"]
        elif where:
            found["filter"] = [where]
        return {**found, **({"limit": [str(data["limit"])]} if data.get("limit") else {})}


@offered("calendar")
class Calendar(Kind):
    """The next days."""

    icon: ClassVar[str] = "calendar"
    sizes: ClassVar[tuple[Size, Size, Size]] = ((3, 5), (4, 6), (6, 8))

    def words(self) -> tuple[str, str]:
        """What it is called, and what it is for."""
        return _("Calendar"), _("What falls on the next days")

    def controls(self, desk: Desk) -> list[Control]:
        """Whose calendar, and how many days."""
        options = [
            (f"{e.key}.{v.key}", f"{say(e.plural)} · {say(v.label)}" if say(v.label) != say(e.plural) else say(v.label))
            for e in desk.entities
            for v in e.views.values()
            if v.type == "calendar" and v.start
        ]
        found = [choice(desk, "calendar", _("Calendar"), options, options[0][0])] if options else []
        return [*found, Control("days", _("Days ahead"), "number", desk.said("days", "14"))]

    def data(self, desk: Desk) -> Data:
        """The view and the days."""
        options = next((c for c in self.controls(desk) if c.name == "calendar"), None)
        return {"calendar": options.value if options is not None else "", **counted(desk, "days")}

    def given(self, data: Data) -> dict[str, list[str]]:
        """The view and the days."""
        return back(data, "calendar", "calendar", "days")

    def lacks(self, desk: Desk) -> dict[str, str]:
        """A calendar that this person sees."""
        return {} if self.data(desk)["calendar"] else {"": str(_("There is no calendar that you may see."))}


@offered("feed")
class Feed(Kind):
    """The newest records."""

    icon: ClassVar[str] = "activity"
    sizes: ClassVar[tuple[Size, Size, Size]] = ((3, 6), (4, 6), (6, 8))

    def words(self) -> tuple[str, str]:
        """What it is called, and what it is for."""
        return _("News"), _("The newest records")

    def controls(self, desk: Desk) -> list[Control]:
        """Of which entities."""
        options = [(e.key, say(e.plural)) for e in desk.entities if not e.part_of]
        known: set[str] = {key for key, _label in options}
        usual: tuple[str, ...] = tuple(k for k in ("lead", "deal", "contact", "ticket") if k in known) or tuple(
            key for key, _label in options[:3]
        )
        said: Sequence[str] = desk.given.get("feed", usual)
        chosen = tuple(k for k in said if k in known)[:ENTITIES]
        return [Control("feed", _("Records of"), "checks", values=chosen, groups=[("", options)]), limit(desk, "12")]

    def data(self, desk: Desk) -> Data:
        """The entities."""
        return {"feed": list(self.controls(desk)[0].values), **counted(desk, "limit")}

    def given(self, data: Data) -> dict[str, list[str]]:
        """The entities."""
        feed = data.get("feed")
        more = {"limit": [str(data["limit"])]} if data.get("limit") else {}
        return {"feed": [str(k) for k in (feed if isinstance(feed, list) else [feed])], **more}

    def label(self, desk: Desk) -> str:
        """News."""
        return self.words()[0]

    def lacks(self, desk: Desk) -> dict[str, str]:
        """An entity."""
        return {} if self.data(desk)["feed"] else {"feed": str(_("Choose at least one."))}


@offered("work")
class Work(Kind):
    """What waits for the reader."""

    icon: ClassVar[str] = "checklist"
    sizes: ClassVar[tuple[Size, Size, Size]] = ((3, 5), (4, 6), (6, 8))

    def words(self) -> tuple[str, str]:
        """What it is called, and what it is for."""
        return _("My work"), _("What waits for whoever looks")

    def controls(self, desk: Desk) -> list[Control]:
        """Which."""
        options = [
            ("today", _("What is due")),
            ("coming", _("The next two weeks")),
            ("recent", _("What was looked at last")),
        ]
        return [choice(desk, "work", _("What"), options, "today")]

    def data(self, desk: Desk) -> Data:
        """Which."""
        return {"work": desk.said("work", "today")}

    def given(self, data: Data) -> dict[str, list[str]]:
        """Which."""
        return {"work": [str(data.get("work", "today"))]}

    def label(self, desk: Desk) -> str:
        """What is chosen."""
        chosen = self.controls(desk)[0]
        return dict(chosen.groups[0][1])[chosen.value]
