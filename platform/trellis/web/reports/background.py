"""Computing a report in the background: as its reader, whose rights are read when it runs, and telling them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from werkzeug.datastructures import MultiDict

from trellis.automation.clock import now
from trellis.automation.jobs import Backoff, Work, kind
from trellis.automation.mail.words import words
from trellis.automation.notices import tell
from trellis.identity.api_keys import list_keys
from trellis.identity.person import principal_for, read_person_by_id
from trellis.records.reading.patient import Tape
from trellis.records.refusal import Fault, Forbidden, Missing, Refused
from trellis.records.store import Store
from trellis.reports.asking import Wishes
from trellis.reports.background.kept import frozen, rights_of
from trellis.reports.background.runs import OPEN, RUN, Run, name_of, read_run
from trellis.reports.places import API, LOOKS
from trellis.reports.run import report_of, run
from trellis.web.reports.asked import read_asked

if TYPE_CHECKING:
    from trellis.storage.tenant import Tenant

LONGER = timedelta(minutes=15)  # for each statement of a report
NOTICE = "report"


def _died(work: Work, _error: str) -> None:
    _end(work, UUID(work.payload["run"]), Fault("broken", "Something went wrong on our side. Run it again."))


@kind(RUN, retry=Backoff(tries=2), on_death=_died)
def compute(work: Work) -> None:
    """Compute a run, keep its rows, tell its reader."""
    tenant, id, moment = work.tenant, UUID(work.payload["run"]), now()
    table = tenant.tables.platform.report_run
    with tenant.begin() as connection:
        asked = read_run(connection, tenant, id)
        if asked is None or not asked.is_open:
            return
        found = _store(connection, tenant, asked, moment)
        connection.execute(sa.update(table).where(table.c.id == id).values(state="running", started_at=moment))
    if found is None:
        _end(work, id, _gone())
        return
    try:
        rights, rows = rights_of(found), frozen(_recorded(found, asked))
    except Refused as refused:
        _end(work, id, refused.faults[0])
    except (Missing, Forbidden):
        _end(work, id, _gone())
    else:
        _end(work, id, None, rights=rights, rows=rows)


def _gone() -> Fault:
    return Fault("gone", "You may not read this report any more.")


def _store(connection: sa.Connection, tenant: Tenant, asked: Run, moment: datetime) -> Store | None:
    """The door of whoever asked, with the rights that they have now; None when they may not come in."""
    person = read_person_by_id(connection, tenant, asked.user)
    if person is None:
        return None
    principal = principal_for(tenant, person, asked.language)
    if asked.key is not None:
        key = next((k for k in list_keys(tenant, asked.user) if k.id == asked.key and k.is_good(moment)), None)
        if key is None:
            return None
        principal = key.principal(tenant, person, asked.language)
    store = Store(tenant, replace(principal, reader=replace(principal.reader, now=moment)))
    store.session.patience = LONGER
    store.session.tape = Tape(before=lambda: _require_wanted(store, asked))
    return store


def _require_wanted(store: Store, asked: Run) -> None:
    """Refuse to go on with a run that was cancelled between two statements."""
    found = read_run(store.session.connection, store.tenant, asked.id)
    if found is None or not found.is_open:
        raise Refused([Fault("cancelled", "Cancelled.")])


def _recorded(store: Store, asked: Run) -> Tape:
    """Everything that showing the report asks the database."""
    tape = store.session.tape
    assert tape is not None
    with store.transaction() as connection:
        connection.execute(sa.select(sa.func.set_config("application_name", name_of(asked.id), True)))
        for limit, place in LOOKS:  # mostly the same statements, which are run once
            if asked.key is not None and place != API:
                continue
            try:
                report = report_of(store, asked.report, place)
            except Missing:
                if place is None or asked.key is not None:
                    raise
                continue  # a file or a program is not given what the page is
            look = read_asked(report, MultiDict(asked.parts))
            run(store, report, look.given, Wishes(look.sort, look.columns, None, look.filters, limit, place))
    return tape


def _end(work: Work, id: UUID, fault: Fault | None, **kept: Any) -> None:
    """Keep what came of it, and tell the reader; one that was cancelled meanwhile stays so."""
    tenant = work.tenant
    table = tenant.tables.platform.report_run
    state = "done" if fault is None else "failed"
    why = None if fault is None else {"code": fault.code, "message": str(fault.message), "params": dict(fault.params)}
    with work.finishing() as connection:
        ours = table.c.id == id, table.c.state.in_(OPEN)
        values = {"state": state, "ended_at": now(), "fault": why, **kept}
        if not connection.execute(sa.update(table).where(*ours).values(**values)).rowcount:
            return
        asked = read_run(connection, tenant, id)
        person = read_person_by_id(connection, tenant, asked.user) if asked is not None else None
        if asked is None or person is None or asked.key is not None:
            return
        _ = words(person.language or tenant.profile.language)
        text = _("The report “%(label)s” is ready.", label=asked.label)
        if fault is not None:
            text = _("The report “%(label)s” could not be computed.", label=asked.label)
        tell(connection, tenant, [person.id], text, kind=NOTICE, address=f"reports/background/{id}")
