"""Many tenants in one process: the first and the second request of each, and what each costs in memory."""

from __future__ import annotations

import time
from collections.abc import Iterator
from statistics import median
from typing import TYPE_CHECKING

import psutil  # type: ignore[import-untyped]
from werkzeug.test import Client

from bench.registry import Result, measure
from trellis.storage.catalogue import NoSuchTenant, TenantExists
from trellis.web.dispatcher import Dispatcher
from trellis.web.settings import Settings

if TYPE_CHECKING:
    from bench.setting import Bench


@measure("tenants")
def tenants(bench: Bench) -> Iterator[Result]:
    """Tenants of the same configuration, each with its own manifest, all asked for their sign-in page."""
    from bench.setting import VAR

    slugs = [f"bench-{n:04}" for n in range(1, bench.tenants + 1)]
    made = _make(bench, slugs)
    dispatcher = Dispatcher(bench.database, Settings(var=VAR, kept_apps=bench.tenants + 1))
    client, process = Client(dispatcher), psutil.Process()
    times: list[list[float]] = []
    for slug in slugs[:1]:  # what every tenant shares: compiling, templates
        _ask(client, slug)
    before = process.memory_info().rss
    for slug in slugs[1:]:
        times.append([_ask(client, slug), _ask(client, slug)])
    each = (process.memory_info().rss - before) / max(1, len(slugs) - 1) / 1e6
    models = {id(dispatcher.catalogue.get(slug).model) for slug in slugs}
    if made:
        yield Result("making a tenant of 40 tables", median(made), unit="s")
    note = f"{len(slugs)} tenants in one process, {len(models)} Model"
    yield Result("a tenant's first request", median(t[0] for t in times) / 1000, unit="s", note=note)
    yield Result("a tenant's second request", median(t[1] for t in times) / 1000, unit="s")
    yield Result("memory for each tenant", each, unit="MB")


def _make(bench: Bench, slugs: list[str]) -> list[float]:
    """Make the tenants that are not there from an earlier run; how long each took."""
    from bench.setting import layers

    seconds = []
    for slug in slugs:
        own = layers(slug)
        try:
            if bench.catalogue.revision(slug, bench.catalogue.entry(slug).revision).layers[0].digest == own[0].digest:
                continue
            bench.catalogue.drop(slug)
        except NoSuchTenant:
            pass
        began = time.perf_counter()
        try:
            bench.catalogue.create(slug, own, "bench")
        except TenantExists:
            continue
        seconds.append(time.perf_counter() - began)
    return seconds


def _ask(client: Client, slug: str) -> float:
    began = time.perf_counter()
    response = client.get(f"/t/{slug}/login")
    assert response.status_code == 200, (slug, response.status_code)
    assert response.data
    return (time.perf_counter() - began) * 1000
