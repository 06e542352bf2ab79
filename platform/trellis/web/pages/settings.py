"""Settings: the way to everything that is not a record."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.web.context import current_store, current_tenant, may
from trellis.web.guard import needs, signed_in
from trellis.web.navigation import address
from trellis.web.pages.base import Page
from trellis.web.schemas import schema_response


@dataclass(frozen=True)
class Card:
    """One thing to set."""

    label: str
    text: str
    icon: str
    address: str


class SettingsView(Page):
    """The hub, and the language's schemas for administrators' editors."""

    @expose("/schemas/<name>.json")  # type: ignore[untyped-decorator]
    @needs("admin")
    def schema(self, name: str) -> Response:
        """The language's JSON Schemas with this tenant's entities, for editors."""
        return schema_response(name, tuple(sorted(current_tenant().model.entities)))

    @expose("/settings")  # type: ignore[untyped-decorator]
    @signed_in
    def hub(self) -> Response:
        """What this person can set."""
        mine = [Card(_("Profile"), _("Name, language, time zone, light or dark"), "user-circle", address("profile"))]
        mine.append(
            Card(
                _("Password"),
                _("Change it, and see where you are signed in"),
                "key",
                address("profile#password-section"),
            )
        )
        if not current_store().session.permit.is_portal:
            told = _("Imports, bulk edits and conversions, and undoing them")
            mine.append(Card(_("Recent bulk changes"), told, "stack-2", address("changes")))
        if may("api"):
            told = _("Keys for programs that read and write your records")
            mine.append(Card(_("API keys"), told, "plug-connected", address("settings/keys")))
        company = []
        if may("admin"):
            company = [
                Card(_("People"), _("Who signs in, their teams and roles"), "users", address("admin/users")),
                Card(_("Roles"), _("What each role may do"), "shield-lock", address("admin/roles")),
                Card(
                    _("Configuration"),
                    _("What this CRM is made of, and every revision"),
                    "stack-2",
                    address("admin/configuration"),
                ),
                Card(
                    _("Automation"),
                    _("What happens by itself, and every run of it"),
                    "robot",
                    address("admin/workflows"),
                ),
                Card(
                    _("Audit log"),
                    _("Sign-ins, changes of rights, exports: who did what"),
                    "list-check",
                    address("admin/audit"),
                ),
            ]
        return self.draw("settings.html", mine=mine, company=company)
