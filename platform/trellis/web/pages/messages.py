"""Where gateways deliver what people answer by SMS and chat."""

from __future__ import annotations

import structlog
from flask import Response, request
from flask_appbuilder import expose

from trellis.automation.mail import places
from trellis.automation.messages.receiving import RECEIVERS, Delivery, NotUnderstood
from trellis.automation.messages.taking import take
from trellis.automation.workflows.acting import system_of
from trellis.automation.workflows.incoming import NotSigned
from trellis.records.store import Store
from trellis.storage.secrets import MissingSecret, tenant_secret
from trellis.web.context import current_tenant
from trellis.web.pages.base import Page
from trellis.web.posted import body_within, headers, said
from trellis.web.security import csrf

LARGEST = 1 << 16
log = structlog.get_logger()


class MessagesView(Page):
    """`/messages/<channel>`."""

    @expose("/messages/<channel>", methods=["POST"])  # type: ignore[untyped-decorator]
    def receive(self, channel: str) -> Response:
        """Takes a signed request of the channel's gateway."""
        tenant = current_tenant()
        way = tenant.profile.messages.get(channel)
        read = RECEIVERS.get(way.adapter) if way is not None and way.incoming else None
        if way is None or read is None:
            return said(404, "there is no such address")
        if (body := body_within(LARGEST)) is None:
            return said(413, "send at most 64 KB")
        base = places.address_of(tenant)
        url = f"{base}/messages/{channel}" if base else request.url  # the address that the gateway was given
        try:
            arrived = read(Delivery(url, headers(), body), tenant_secret(tenant.slug, way.incoming))
        except (NotSigned, ValueError) as error:
            return said(401, str(error))
        except NotUnderstood as error:
            return said(400, str(error))
        except MissingSecret as error:
            log.warning("messages cannot be taken", tenant=tenant.slug, channel=channel, why=str(error))
            return said(503, "this address is not set up")
        if arrived.text.strip() and arrived.id:
            store = Store(tenant, system_of(tenant), cause={"message": channel})
            with store.transaction() as connection:
                outcome = take(store, connection, "sms" if channel == "sms" else "chat", arrived)
            log.info("message received", tenant=tenant.slug, channel=channel, outcome=outcome or "known already")
        return Response(arrived.answer, 200, mimetype=arrived.answer_type)


# gateways have no session, and a signature says more than a token would
csrf.exempt(f"{__name__}.receive")
