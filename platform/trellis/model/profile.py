"""What is a tenant's own and stands beside the Model: name, language, currency, settings, theme."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

EMPTY: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class TenantProfile:
    """tenant.yaml, resolved. `modules` None: all are on. `settings` has the defaults filled in."""

    key: str
    label: str
    template: str | None = None
    language: str = "en"
    time_zone: str = "UTC"
    currency: str = "EUR"
    region: str = "DE"  # ISO 3166: how phone numbers without a country code are read
    modules: tuple[str, ...] | None = None
    settings: Mapping[str, Any] = EMPTY
    theme: Mapping[str, Any] = EMPTY  # color, logo
    sign_in: Mapping[str, Any] = EMPTY
