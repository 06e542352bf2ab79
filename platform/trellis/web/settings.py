"""How this installation is run: from the environment, with defaults that work on a laptop."""

from __future__ import annotations

import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dc_field
from functools import cached_property
from pathlib import Path

from trellis.storage.secrets import installation_key


@dataclass(frozen=True)
class Settings:
    """The settings of one process.

    `hosts` maps a host name to a tenant; `domain` gives every tenant the host <slug>.<domain>. `allowed_hosts` are the
    further names that requests may carry; numeric addresses and localhost always may.
    """

    root: Path = dc_field(default_factory=Path.cwd)
    var: Path = dc_field(default_factory=lambda: Path("var"))
    database_url: str | None = None
    domain: str | None = None
    hosts: Mapping[str, str] = dc_field(default_factory=dict)
    allowed_hosts: frozenset[str] = frozenset()
    behind_proxy: int = 0  # how many proxies' X-Forwarded-* headers are believed
    metrics_token: str | None = None
    kept_apps: int = 1000
    streams: int = 100  # how many pages may listen at once for what is new; the others look every minute
    landing: bool = True  # whether `/` lists the tenants
    url: str | None = None  # where the installation is reached: what links in letters begin with
    store: Path | None = None  # where installed templates lie, if not in var

    @property
    def templates(self) -> Path:
        """The store of installed templates."""
        return self.store or self.var / "templates"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ, *, root: Path | None = None) -> Settings:
        """Read DATABASE_URL and TRELLIS_*."""
        at = root or Path(environ.get("TRELLIS_ROOT") or Path.cwd())
        pairs = [p.split("=", 1) for p in environ.get("TRELLIS_HOSTS", "").split(",") if "=" in p]
        return cls(
            root=at,
            var=Path(environ.get("TRELLIS_VAR") or at / "var"),
            database_url=environ.get("DATABASE_URL") or None,
            domain=environ.get("TRELLIS_DOMAIN") or None,
            hosts={host.strip().lower(): slug.strip() for host, slug in pairs},
            allowed_hosts=frozenset(
                h.strip().lower() for h in environ.get("TRELLIS_ALLOWED_HOSTS", "").split(",") if h.strip()
            ),
            behind_proxy=int(environ.get("TRELLIS_BEHIND_PROXY") or 0),
            metrics_token=environ.get("TRELLIS_METRICS_TOKEN") or None,
            kept_apps=int(environ.get("TRELLIS_KEPT_APPS") or 1000),
            streams=max(0, int(environ.get("TRELLIS_STREAMS") or 100)),
            landing=environ.get("TRELLIS_LANDING", "1") not in ("0", "no", "false"),
            url=(environ.get("TRELLIS_URL") or "").rstrip("/") or None,
            store=Path(environ["TRELLIS_TEMPLATES"]) if environ.get("TRELLIS_TEMPLATES") else None,
        )

    def address_of(self, slug: str) -> str | None:
        """Where a tenant is reached from outside, if the settings say: its own host, else below `url`."""
        for host, tenant in self.hosts.items():
            if tenant == slug:
                return f"https://{host}"
        if self.domain:
            return f"https://{slug}.{self.domain}"
        return f"{self.url}/t/{slug}" if self.url else None

    @cached_property
    def master_secret(self) -> bytes:
        """The installation's secret key."""
        return installation_key(self.var)

    def secret_for(self, purpose: str, tenant: str) -> str:
        """A key of one tenant's own for one purpose; nothing signed with it means anything elsewhere."""
        return hmac.new(self.master_secret, f"{purpose}\0{tenant}".encode(), "sha256").hexdigest()
