"""What the kinds of notices are called, and how somebody has chosen to hear of them."""

from __future__ import annotations

from datetime import time
from typing import Any
from uuid import UUID

from babel.dates import format_time
from flask_babel import get_locale
from flask_babel import lazy_gettext as _l

from trellis.automation.channels import KINDS, PREFERENCE, Choice, read_choices
from trellis.automation.mail.account import is_set_up
from trellis.identity.preferences import read_preference
from trellis.web.context import current_tenant

LABELS = {
    "assignment": (_l("Assignments"), _l("A record becomes yours")),
    "mention": (_l("Mentions"), _l("Somebody writes @ and your name")),
    "comment": (_l("Notes"), _l("Somebody writes about a record that you own or follow")),
    "approval": (_l("Approvals"), _l("Your approval is needed")),
    "reminder": (_l("Reminders"), _l("A date or an appointment comes near")),
    "pool": (_l("Public pools"), _l("A record of yours goes back to a pool, or soon will")),
    "report": (_l("Reports"), _l("A report that ran in the background is ready")),
    "workflow": (_l("Workflows"), _l("Everything else that the automation tells you")),
}


def chosen_words(user: UUID) -> dict[str, Any]:
    """What the profile shows of it."""
    tenant, locale = current_tenant(), get_locale()
    choices, hour = read_choices(read_preference(tenant, user, PREFERENCE))
    return {
        "notice_choices": [(kind, *LABELS[kind], choices.get(kind, default)) for kind, default in KINDS.items()],
        "notice_hour": hour,
        "notice_hours": [(h, format_time(time(h), "short", locale=locale)) for h in range(24)],
        "has_mail": is_set_up(tenant),
    }


def choices_of(form: Any) -> tuple[dict[str, Choice], int]:
    """What the form says."""
    kinds = {k: {"app": f"app-{k}" in form, "mail": form.get(f"mail-{k}", "no")} for k in KINDS}
    hour = form.get("hour", "")
    return read_choices({"kinds": kinds, "hour": int(hour) if hour.isdecimal() else None})
