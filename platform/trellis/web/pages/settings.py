"""Settings: the way to everything that is not a record. And what this CRM is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Response, request
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.web.context import current_tenant, may, serving
from trellis.web.guard import needs, signed_in
from trellis.web.navigation import address
from trellis.web.pages.base import Page
from trellis.web.schemas import schema_response

if TYPE_CHECKING:
    from trellis.config.problem import Problem

SHOWN_ORIGINS = 200


@dataclass(frozen=True)
class Card:
    """One thing to set."""

    label: str
    text: str
    icon: str
    address: str


class SettingsView(Page):
    """The hub, and the configuration's page for administrators."""

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
        mine.append(
            Card(
                _("Recent bulk changes"),
                _("Imports, bulk edits and conversions, and undoing them"),
                "stack-2",
                address("changes"),
            )
        )
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

    @expose("/admin/configuration")  # type: ignore[untyped-decorator]
    @needs("admin")
    def configuration(self) -> Response:
        """Revisions, problems, and where each value was written."""
        tenant, catalogue = current_tenant(), serving().catalogue
        wanted = request.args.get("q", "").strip()
        revisions = list(catalogue.revisions(tenant.slug))[:50] if catalogue else []
        layers = catalogue.revision(tenant.slug, tenant.revision).layers if catalogue else ()
        return self.draw(
            "configuration.html",
            tenant=tenant,
            revisions=revisions,
            layers=layers,
            problems=_problems(layers),
            origins=_origins(wanted),
            wanted=wanted,
            counts=_counts(),
        )


def _problems(layers: Any) -> list[Problem]:
    """What a check of the live configuration says; compiled already, so this costs nothing."""
    from trellis.model.compile import compile_layers

    return compile_layers(list(layers)).problems if layers else []


def _origins(wanted: str) -> list[tuple[str, Any]]:
    """Paths of the configuration that contain the text, each with the place that it was written at."""
    if not wanted:
        return []
    found = ((path, mark) for path, mark in current_tenant().model.origins.items() if wanted.lower() in path.lower())
    return [pair for pair, _n in zip(found, range(SHOWN_ORIGINS), strict=False)]


def _counts() -> list[tuple[str, int]]:
    model = current_tenant().model
    return [
        (_("Entities"), len(model.entities)),
        (_("Fields"), sum(len([f for f in e.fields.values() if not f.system]) for e in model.entities.values())),
        (_("Pipelines"), len(model.pipelines)),
        (_("Roles"), len(model.roles)),
    ]
