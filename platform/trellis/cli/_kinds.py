"""Every module that registers kinds of jobs, clocks or listeners: what a worker has to have read."""

from __future__ import annotations

from importlib import import_module

# automation's own come with the package; the rest lie in the folders that use it
MODULES: tuple[str, ...] = (
    "trellis.automation.workflows.engine",
    "trellis.automation.service_levels.engine",
    "trellis.automation.reminders",
    "trellis.automation.pools",
    "trellis.automation.set_back",
    "trellis.automation.scoring.engine",
    "trellis.identity.automating",
    "trellis.automation.mail.outbox",
    "trellis.automation.messages.outbox",
    "trellis.automation.mail.incoming.fetching",
    "trellis.web.places",
    "trellis.reports.schedule.timers",
    "trellis.reports.schedule.keeping",
    "trellis.web.reports.mailing",
    "trellis.reports.background.runs",
    "trellis.reports.remembering",
    "trellis.web.reports.background",
    "trellis.automation.keeping",
    "trellis.identity.invitations",
    "trellis.identity.tidying",
    "trellis.api.webhooks.telling",
    "trellis.api.webhooks.purging",
    "trellis.studio.publishing",
)


def import_kinds() -> None:
    """Read them, so that their registries are full."""
    for module in MODULES:
        import_module(module)
