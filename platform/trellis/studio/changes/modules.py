"""Which modules the company uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _

from trellis.studio.changes.registry import Change, Mistaken, Written, change
from trellis.studio.writing import REMOVE, Edit

if TYPE_CHECKING:
    from werkzeug.datastructures import MultiDict


@change("modules")
class ChangeModules(Change):
    """Switch modules on and off."""

    icon = "toggle-right"
    template = "modules"

    @classmethod
    def label(cls) -> str:
        """What it is called."""
        return str(_("Modules"))

    @classmethod
    def about(cls) -> str:
        """What it is for."""
        return str(_("Switch whole areas on and off; records of what is off stay where they are"))

    def ask(self, given: MultiDict[str, str]) -> dict[str, Any]:
        """Every module with what is in it."""
        on = self._on()
        chosen = set(given.getlist("module")) if "csrf_token" in given else on
        within = {
            key: [e for e in self.desk.model.entities.values() if e.module == key and e.part_of is None]
            for key in self.desk.model.modules
        }
        modules = sorted(self.desk.model.modules.values(), key=lambda m: m.order)
        return {"modules": modules, "chosen": chosen, "within": within}

    def _on(self) -> set[str]:
        manifest = self.desk.configuration.manifest
        listed = manifest.data.get("modules") if manifest is not None else None
        return {str(x) for x in listed} if isinstance(listed, list) else set(self.desk.model.modules)

    def write(self, given: MultiDict[str, str]) -> Written:
        """`modules: […]` in tenant.yaml; nothing when all are on."""
        wanted = [key for key in self.desk.model.modules if key in given.getlist("module")]
        if not wanted:
            raise Mistaken({"": _("Leave at least one module on.")})
        if set(wanted) == self._on():
            return Written()
        value: Any = REMOVE if set(wanted) == set(self.desk.model.modules) else wanted
        return Written([Edit("tenant", self.desk.draft.slug, ("modules",), value)])
