"""The addresses at which other systems set workflows off."""

from __future__ import annotations

import base64
import logging

import orjson
from flask import Response
from flask_appbuilder import expose

from trellis.automation.workflows.incoming import NotSigned, hooks, receive, verify
from trellis.model.automation.triggers import OnWebhook
from trellis.storage.secrets import MissingSecret, tenant_secret
from trellis.web.context import current_tenant, serving
from trellis.web.pages.base import Page
from trellis.web.posted import body_within, headers, said
from trellis.web.security import csrf

LARGEST = 1 << 20
log = logging.getLogger(__name__)


class HooksView(Page):
    """`/hooks/<key>`."""

    @expose("/hooks/<key>", methods=["POST"])  # type: ignore[untyped-decorator]
    def receive(self, key: str) -> Response:
        """Takes a signed request; the runs begin when it is answered."""
        tenant = current_tenant()
        found = hooks(tenant.model, key)
        if not found:
            return said(404, "there is no such address")
        if (body := body_within(LARGEST)) is None:
            return said(413, "send at most 1 MB")
        try:
            id = verify(secret_of(found[0][1]), headers(), body)
        except (NotSigned, ValueError) as error:
            return said(401, str(error))
        except MissingSecret as error:
            log.warning("a webhook of %s cannot be taken: %s", tenant.slug, error)
            return said(503, "this address is not set up")
        try:
            payload = orjson.loads(body) if body else None
        except orjson.JSONDecodeError:
            return said(400, "the body is no JSON")
        with tenant.begin() as connection:
            count = receive(connection, tenant, key, id, payload)
        return said(202, "taken" if count else "taken already")


# programs have no session, and a signature says more than a token would
csrf.exempt(f"{__name__}.receive")


def secret_of(trigger: OnWebhook) -> str:
    """The secret of an address: the operator's, else one of the installation's own. Raises MissingSecret."""
    tenant = current_tenant()
    if trigger.secret:
        return tenant_secret(tenant.slug, trigger.secret)
    made = serving().settings.secret_for(f"hook:{trigger.key}", tenant.slug)
    return "whsec_" + base64.b64encode(made if isinstance(made, bytes) else made.encode()).decode()
