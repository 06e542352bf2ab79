"""For administrators: where a public form is, how to put it into a page, how much came in, and what was laid aside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import abort, redirect, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from trellis.automation.forms import entries, looking
from trellis.automation.forms.entries import NothingToConfirm
from trellis.automation.forms.form import forms_of
from trellis.automation.mail.account import is_set_up
from trellis.model.automation.workflow import Workflow
from trellis.records.refusal import Refused
from trellis.storage.audit import note
from trellis.web.context import current_reader, current_tenant
from trellis.web.faults import refusal_text
from trellis.web.flashes import toast
from trellis.web.guard import needs
from trellis.web.pages.base import Page

LATELY = timedelta(days=30)
STATES: Mapping[str, tuple[Any, str]] = {
    "made": (_l("Taken"), "green"),
    "waiting": (_l("Waits to be confirmed"), "yellow"),
    "expired": (_l("Never confirmed"), "gray"),
    "held": (_l("Laid aside"), "orange"),
    "spam": (_l("Looks like a machine's"), "gray"),
}


@dataclass(frozen=True)
class Entry:
    """What was laid aside: why, when, and what it says."""

    id: UUID
    at: datetime
    state: str
    values: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class About:
    """A form as its workflow's page tells of it."""

    address: str
    embed: str
    sites: Sequence[str]
    counts: Sequence[tuple[Any, str, int]]
    entries: Sequence[Entry]
    lacks_mail: bool


def forms_about(workflow: Workflow) -> list[About]:
    """The forms of a workflow."""
    tenant, found = current_tenant(), []
    for form in forms_of(tenant.model).values():
        if form.workflow.key != workflow.key:
            continue
        with tenant.begin() as connection:
            counts = looking.counts(connection, tenant, workflow.key, LATELY)
            aside = looking.laid_aside(connection, tenant, workflow.key)
        address = url_for("WebFormsView.form", key=form.key, _external=True)
        embed = Markup('<iframe src="{}" title="{}" width="100%" height="{}" style="border:0"></iframe>').format(
            address, form.trigger.label.in_language(tenant.profile.language), 260 + 76 * len(form.fields)
        )
        found.append(
            About(
                address,
                str(embed),
                form.trigger.embed,
                [(*STATES[state], counts[state]) for state in STATES if state in counts],
                [Entry(row["id"], row["at"], row["state"], _shown(form.entity, values)) for row, values in aside],
                bool(form.trigger.confirm) and not is_set_up(tenant),
            )
        )
    return found


def _shown(entity: Any, values: Mapping[str, Any]) -> list[tuple[str, str]]:
    reader = current_reader()
    found = []
    for key, value in values.items():
        field = entity.fields.get(key)
        if field is not None:
            try:
                shown = str(field.type.display(value, reader))
            except (AttributeError, KeyError, TypeError, ValueError):  # the field takes other values by now
                shown = str(value)
            found.append((field.label.in_language(reader.language), shown[:300]))
    return found


class FormEntriesView(Page):
    """`/admin/workflows/<key>/entries/<id>/…`."""

    @expose("/admin/workflows/<key>/entries/<uuid:id>/accept", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("admin")
    def accept(self, key: str, id: UUID) -> Any:
        """Take it after all."""
        tenant = current_tenant()
        _form_or_404(key)
        try:
            entries.accept(tenant, forms_of(tenant.model), id)
            toast(_("Taken: the record is made, and the workflow runs."))
        except NothingToConfirm:
            toast(_("Somebody has dealt with it already."), kind="error")
        except Refused as refused:
            toast(refusal_text(refused), kind="error")
        return redirect(url_for("AutomationView.workflow", key=key), 303)

    @expose("/admin/workflows/<key>/entries/<uuid:id>/drop", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("admin")
    def drop(self, key: str, id: UUID) -> Any:
        """Forget it."""
        tenant = current_tenant()
        _form_or_404(key)
        with tenant.begin() as connection:
            if looking.throw_away(connection, tenant, id):
                note(connection, tenant, "automation.entry-dropped", details={"workflow": key})
        toast(_("Deleted."))
        return redirect(url_for("AutomationView.workflow", key=key), 303)


def _form_or_404(key: str) -> None:
    if not any(form.workflow.key == key for form in forms_of(current_tenant().model).values()):
        abort(404)
