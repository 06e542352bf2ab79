"""Every node hears of a revision."""

from __future__ import annotations

import queue

from tests.storage.models import entity, field, model_of, small_model

from trellis.storage.apply import apply
from trellis.storage.notify import on_revision
from trellis.storage.plan import plan_compiled


def test_what_changes_a_tenant_is_heard(make_tenant, catalogue, database):
    tenant = make_tenant(model=small_model())
    heard: queue.Queue[tuple[str, int]] = queue.Queue()
    listener = on_revision(database, lambda slug, revision: heard.put((slug, revision)))
    assert listener.ready.wait(5)
    try:
        model = model_of(*tenant.model.entities.values(), entity("extra", field("name")))
        apply(catalogue, plan_compiled(tenant, [], model, tenant.profile), "test")
        assert heard.get(timeout=5) == (tenant.slug, 2)
        catalogue.suspend(tenant.slug)
        assert heard.get(timeout=5) == (tenant.slug, 2)
    finally:
        listener.close()


def test_after_a_broken_connection_everything_is_looked_at(database):
    gaps: queue.Queue[bool] = queue.Queue()
    listener = on_revision(database, lambda slug, revision: None, lambda: gaps.put(True))
    assert gaps.get(timeout=5)  # from the start
    try:
        with database.connect_driver() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'LISTEN trellis_revision'"
            )
        assert gaps.get(timeout=5)
    finally:
        listener.close()
