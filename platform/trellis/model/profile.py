"""What is a tenant's own and stands beside the Model: name, language, currency, settings, theme."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dc_field
from datetime import timedelta
from typing import Any

from trellis.model.sign_in import MailAccount, MessageWay, SignIn


@dataclass(frozen=True)
class TenantProfile:
    """tenant.yaml, resolved. `modules` None: all are on. `settings` has the defaults filled in."""

    key: str
    label: str
    template: str | None = None
    language: str = "en"
    time_zone: str = "UTC"
    currency: str = "EUR"
    calendar: str = ""  # by which formulas count business time; "": the one that is called office
    region: str = "DE"  # ISO 3166: how phone numbers without a country code are read
    modules: tuple[str, ...] | None = None
    settings: Mapping[str, Any] = dc_field(default_factory=dict)
    theme: Mapping[str, Any] = dc_field(default_factory=dict)  # color, logo
    purge_after: timedelta | None = None  # how long what was deleted stays in the bin; None: for ever
    access_log: timedelta | None = timedelta(days=365)  # how long it is kept who has read personal data; None: for ever
    sign_in: SignIn = dc_field(default_factory=SignIn)
    mail: MailAccount | None = None
    mail_accounts: Mapping[str, MailAccount] = dc_field(default_factory=dict)  # further ones
    messages: Mapping[str, MessageWay] = dc_field(default_factory=dict)  # by channel: sms, chat
    origins: tuple[str, ...] = ()  # pages of other sites that may use the API from a browser
