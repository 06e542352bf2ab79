"""What the template leaves to the company to set."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _

from trellis.studio.changes.answers import number, text
from trellis.studio.changes.registry import Change, Mistaken, Written, change
from trellis.studio.writing import REMOVE, Edit

if TYPE_CHECKING:
    from werkzeug.datastructures import MultiDict

    from trellis.model.model import Setting

NUMBERS = frozenset({"integer", "decimal", "percent", "money", "rating"})


@change("settings")
class ChangeSettings(Change):
    """Set the template's settings."""

    icon = "adjustments"
    template = "settings"

    @classmethod
    def label(cls) -> str:
        """What it is called."""
        return str(_("Settings of the template"))

    @classmethod
    def about(cls) -> str:
        """What it is for."""
        return str(_("Days, rates, limits that the template’s rules and workflows count with"))

    def ask(self, given: MultiDict[str, str]) -> dict[str, Any]:
        """Every setting with what it is now."""
        own = self._own()
        rows = []
        for setting in self.desk.model.settings.values():
            now = _shown(own.get(setting.key, setting.default))
            kind = "number" if setting.type in NUMBERS else "check" if setting.type == "boolean" else "text"
            rows.append({"setting": setting, "now": now, "kind": kind, "default": _shown(setting.default)})
        return {"rows": rows}

    def _own(self) -> dict[str, Any]:
        manifest = self.desk.configuration.manifest
        own = manifest.data.get("settings") if manifest is not None else None
        return dict(own) if isinstance(own, dict) else {}

    def write(self, given: MultiDict[str, str]) -> Written:
        """`settings: {…}` in tenant.yaml: what is another than the template has it."""
        own = self._own()
        faults: dict[str, str] = {}
        written = Written()
        for setting in self.desk.model.settings.values():
            value = self._value(setting, given, faults)
            now = _shown(own.get(setting.key, setting.default))
            if value is None and setting.key in own:
                written.edits.append(Edit("tenant", self.desk.draft.slug, ("settings", setting.key), REMOVE))
            elif value is not None and value != now and str(value) != str(now) and not _same(value, now):
                written.edits.append(Edit("tenant", self.desk.draft.slug, ("settings", setting.key), value))
        if faults:
            raise Mistaken(faults)
        return written

    def _value(self, setting: Setting, given: MultiDict[str, str], faults: dict[str, str]) -> Any:
        name = f"s.{setting.key}"
        if setting.type == "boolean":
            return bool(given.get(name))
        if setting.type in NUMBERS:
            return number(given, name, faults, whole=setting.type == "integer")
        return text(given, name, 500) or None


def _shown(value: Any) -> Any:
    """A setting's value as one types it: of money, the amount."""
    amount = getattr(value, "amount", value)
    return int(amount) if isinstance(amount, Decimal) and amount == amount.to_integral_value() else amount


def _same(one: Any, other: Any) -> bool:
    """Whether two numbers are the same, however they are written."""
    return isinstance(other, int | Decimal) and not isinstance(other, bool) and one == other
