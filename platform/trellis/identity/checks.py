"""What `trellis doctor` says about signing in: secrets that the YAML names and packages that it needs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

from trellis.automation.mail.account import accounts_said, is_set_up, mail_secrets
from trellis.storage.doctor import Finding, Patient, check
from trellis.storage.secrets import secret_name

if TYPE_CHECKING:
    from trellis.storage.tenant import Tenant

NO_MAIL = "Set mail: in tenant.yaml, or TRELLIS_SMTP_URL and TRELLIS_MAIL_FROM; until then links go by hand."


@check("Sign-in")
def _sign_in(patient: Patient) -> Iterator[Finding]:
    """Every tenant that is open."""
    if patient.catalogue is None:
        yield Finding("wrong", f"cannot be looked at: {patient.trouble}")
        return
    sound = True
    for entry in patient.catalogue.list():
        if entry.status == "active":
            for finding in findings(patient.catalogue.get(entry.slug)):
                sound = False
                yield finding
    if sound:
        yield Finding("ok", "secrets and packages are there")


def findings(tenant: Tenant) -> Iterator[Finding]:
    """What one tenant lacks."""
    sign_in = tenant.profile.sign_in
    wanted = [(source.secret, source.label) for source in sign_in.oauth.values()]
    if sign_in.ldap is not None and sign_in.ldap.bind_password:
        wanted.append((sign_in.ldap.bind_password, "LDAP"))
    for account in accounts_said(tenant):
        wanted += [(name, "mail") for name in mail_secrets(account)]
    for name, what in wanted:
        variable = secret_name(tenant.slug, name)
        if not os.environ.get(variable):
            yield Finding("wrong", f"{tenant.slug}: {what} has no secret", f"Set the environment variable {variable}.")
    for kind, module, extra in (("ldap", "ldap", "ldap"), ("saml", "onelogin", "saml")):
        if getattr(sign_in, kind) and find_spec(module) is None:
            yield Finding("wrong", f"{tenant.slug}: {kind} needs a package", f"pip install 'trellis[{extra}]'")
    if not is_set_up(tenant):
        yield Finding("advice", f"{tenant.slug}: no mail goes out", NO_MAIL)
