"""Numbers for Prometheus. Names of tenants only where their number stays small: counts, not histograms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

if TYPE_CHECKING:
    from trellis.automation.state import Depth

disable_created_metrics()  # type: ignore[no-untyped-call]

REGISTRY = CollectorRegistry()
REQUESTS = Counter("trellis_requests_total", "Requests answered", ["tenant", "method", "status"], registry=REGISTRY)
SECONDS = Histogram(
    "trellis_request_seconds",
    "Seconds from request to answer",
    ["page"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)
APPS = Gauge("trellis_tenant_apps", "Tenants whose app is built in this process", registry=REGISTRY)
BUILDS = Histogram("trellis_tenant_app_build_seconds", "Seconds to build a tenant's app", registry=REGISTRY)
SIGN_INS = Counter("trellis_sign_ins_total", "Attempts to sign in", ["tenant", "outcome"], registry=REGISTRY)
JOBS = Gauge("trellis_jobs", "Jobs in the queue", ["tenant", "state"], registry=REGISTRY)
OLDEST = Gauge("trellis_jobs_oldest_seconds", "Age of the job that has waited longest", ["tenant"], registry=REGISTRY)
WORKERS = Gauge("trellis_workers", "Workers that have been heard of lately", registry=REGISTRY)
CONTENT_TYPE = CONTENT_TYPE_LATEST


def observe(tenant: str, page: str, method: str, status: int, seconds: float) -> None:
    """Count one request."""
    REQUESTS.labels(tenant, method, f"{status // 100}xx").inc()
    SECONDS.labels(page or "none").observe(seconds)


def observe_queue(depths: Mapping[str, Depth], workers: int) -> None:
    """What is in the queue, by tenant; those that have nothing in it are not named."""
    JOBS.clear()
    OLDEST.clear()
    for tenant, depth in depths.items():
        for state in ("waiting", "running", "later", "dead"):
            JOBS.labels(tenant, state).set(getattr(depth, state))
        OLDEST.labels(tenant).set(depth.oldest)
    WORKERS.set(workers)


def exposition() -> bytes:
    """The numbers as Prometheus reads them."""
    return generate_latest(REGISTRY)
