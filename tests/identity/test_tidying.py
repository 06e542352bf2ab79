"""What is taken away at night."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from tests.web.frame_tenants import YAML, add_person

from trellis.automation import jobs
from trellis.automation.worker.drain import drain
from trellis.identity import pending
from trellis.identity.sessions import open_session
from trellis.identity.sign_in_log import Place, note, sign_in_history
from trellis.identity.throttle import account_key, begin_attempt
from trellis.identity.tidying import HISTORY_KEPT, tidy


def test_only_what_is_over_goes(make_tenant: Any, catalogue: Any) -> None:
    tenant = make_tenant(YAML)
    person = add_person(tenant, "anna@x.example")
    tables = tenant.tables.platform
    for _ in range(2):
        open_session(tenant, person)
        pending.begin(tenant, pending.SIGN_IN, person)
        note(tenant, "in", person, "password", Place())
    begin_attempt(tenant, account_key(tenant, "anna@x.example"))
    old = sa.func.now() - HISTORY_KEPT - timedelta(days=1)
    with tenant.begin() as connection:
        for table in (tables.session, tables.token):
            one = connection.execute(sa.select(table.c.id).limit(1)).scalar()
            connection.execute(sa.update(table).where(table.c.id == one).values(expires_at=old))
        first = connection.execute(sa.select(sa.func.min(tables.sign_in.c.id))).scalar()
        connection.execute(sa.update(tables.sign_in).where(tables.sign_in.c.id == first).values(at=old))
        connection.execute(sa.update(tables.attempt).values(last_at=old))
        jobs.defer(connection, tidy)
    drain(catalogue, tenant)
    with tenant.begin() as connection:
        left = {
            table.name: connection.execute(sa.select(sa.func.count()).select_from(table)).scalar()
            for table in (tables.session, tables.token, tables.attempt)
        }
    assert left == {"_session": 1, "_token": 1, "_attempt": 0}
    assert len(sign_in_history(tenant, person)) == 1
