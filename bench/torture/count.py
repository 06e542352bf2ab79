"""Counting afterwards, by SQL in the tenant's tables: what there is too few or too many of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from trellis.storage.names import sql_name

if TYPE_CHECKING:
    from trellis.storage.tenant import Tenant

# each question finds what is wrong: how many rows, and of which numbers the first are
QUESTIONS = {
    "deals without exactly one long run that is done": """
        SELECT number FROM deal d WHERE (
            SELECT count(*) || ' ' || count(*) FILTER (WHERE state = 'done') FROM _run r
            WHERE r.record = d.id AND r.workflow = 'long-way') <> '1 1'""",
    "deals without exactly one run beside it that is done": """
        SELECT number FROM deal d WHERE (
            SELECT count(*) || ' ' || count(*) FILTER (WHERE state = 'done') FROM _run r
            WHERE r.record = d.id AND r.workflow = 'by-way') <> '1 1'""",
    "second jobs without exactly one run that wakes": """
        SELECT substr(subject, 3)::int FROM job j WHERE subject LIKE '2 %%' AND (
            SELECT count(*) || ' ' || count(*) FILTER (WHERE state = 'done') FROM _run r
            WHERE r.record = j.id AND r.workflow = 'waking') <> '1 1'""",
    "deals whose jobs are too few or too many": """
        SELECT number FROM deal d WHERE (
            SELECT string_agg(split_part(subject, ' ', 1) || status, ',' ORDER BY subject) FROM job j
            WHERE j.about = d.id) IS DISTINCT FROM
            CASE WHEN number %% 2 = 0 THEN '1done,2open' ELSE '1done,2open,oddopen' END""",
    "deals whose steps were not done once each": """
        SELECT number FROM deal d JOIN _run r ON r.record = d.id AND r.workflow = 'long-way' WHERE (
            SELECT count(*) || ' ' || count(DISTINCT place) FROM _run_step s
            WHERE s.run = r.id AND outcome = 'done' AND verb <> 'log') <> '11 11'""",
    "deals whose loop did not go over each once": """
        SELECT number FROM deal d JOIN _run r ON r.record = d.id AND r.workflow = 'long-way' WHERE (
            SELECT count(DISTINCT detail->>'text') - abs(count(*) - count(DISTINCT detail->>'text')) FROM _run_step s
            WHERE s.run = r.id AND outcome = 'done' AND verb = 'log')
            <> (SELECT count(*) FROM deal o WHERE o.account = d.account)""",
    "deals that were not counted once": """
        SELECT number FROM deal WHERE count IS DISTINCT FROM 1 OR answer IS DISTINCT FROM 200
            OR way IS DISTINCT FROM CASE WHEN number %% 2 = 0 THEN 'even' END""",
    "accounts that were not touched once for each deal": """
        SELECT touched FROM account a WHERE touched <> (SELECT count(*) FROM deal d WHERE d.account = a.id)""",
    "deals without exactly one letter that is sent": """
        SELECT number FROM deal d WHERE (
            SELECT count(*) || ' ' || count(*) FILTER (WHERE state = 'sent') FROM _mail m
            WHERE m."to" = d.email) <> '1 1'""",
    "events that nobody was told": "SELECT 0 FROM _event",
}


def wrong(tenant: Tenant, runs: int) -> Iterator[str]:
    """What is wrong, in words; nothing when all is well."""
    with tenant.database.connect_driver() as connection:
        connection.execute(f"SET search_path TO {sql_name(tenant.schema)}, pg_catalog")
        connection.execute("SET statement_timeout = 0")
        made = connection.execute("SELECT count(*) FROM deal").fetchone()
        if made != (runs,):
            yield f"{made} deals instead of {runs}"
        for question, query in QUESTIONS.items():
            found = [row[0] for row in connection.execute(query.replace("%%", "%"))]
            if found:
                yield f"{len(found)} {question}: {sorted(found)[:5]}"


def is_over(tenant: Tenant) -> bool:
    """Whether no run is left at work, and no letter that was put off is to be tried again.

    What waits for the end of a wait that has ended already may lie in the queue.
    """
    left = "SELECT 1 FROM _run WHERE ended_at IS NULL UNION ALL SELECT 1 FROM _mail WHERE state = 'waiting' LIMIT 1"
    with tenant.begin() as connection:
        return connection.exec_driver_sql(left).first() is None
