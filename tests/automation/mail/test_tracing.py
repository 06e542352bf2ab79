"""Opened letters and followed links: noted where the company says so, and never of who does not want it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from tests.automation.mail.mailbox import Mailbox
from tests.conftest import layers_of
from tests.web.frame_tenants import YAML

from trellis.automation.clock import moved
from trellis.automation.mail import optouts, places, tracing
from trellis.automation.mail.letter import Letter
from trellis.automation.worker.drain import drain
from trellis.automation.workflows import engine  # noqa: F401 (does the runs)
from trellis.automation.workflows.acting import system_of
from trellis.model.tracking import Tracking, tracking_of
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant

OFFER = """
---
entity: lead
title: name
fields:
  name:  {type: text, required: true}
  email: {type: email}
  do_not_track: {type: boolean, default: false}
  warm:  {type: boolean, default: false}
---
entity: email_message
title: subject
fields:
  subject:    {type: text, required: true}
  about:      {type: any_link, to: [lead], inverse: emails}
  direction:  {type: choice, choices: [in, out]}
  at:         {type: datetime}
  opens:      {type: integer, readonly: true}
  opened_at:  {type: datetime, readonly: true}
  clicks:     {type: integer, readonly: true}
  clicked_at: {type: datetime, readonly: true}
  message_id: {type: text, index: true}
---
email: offer
entity: lead
subject: "For {name}"
track: true
unsubscribe: true
body: "Look at [our offer](https://www.example.com/offer?a=1&b=2), or [again](https://www.example.com/offer?a=1&b=2)
  and [the other](https://www.example.com/other)."
---
workflow: offers
on: {record: lead, created: true}
steps:
  - {send: email, template: offer, to: =email}
---
workflow: warm
on: {record: email_message, changed: [clicked_at]}
steps:
  - {update: =about, set: {warm: true}}
"""
LETTER = Letter("Hello", "", (), body="[x](https://x.example)")
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.0"
LINK = re.compile(r'href="(https?://crm\.example/[^"]*?/m/([0-9a-f]{32})/(\d+))"')


@pytest.fixture(scope="module")
def made(catalogue: Catalogue, smtp: Mailbox) -> Iterator[Tenant]:
    yield catalogue.create("traced", layers_of(YAML + OFFER, "traced", profile=smtp.profile), "test")
    catalogue.drop("traced")


@pytest.fixture
def tenant(made: Tenant, smtp: Mailbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tenant]:
    monkeypatch.setattr(places, "_where", [lambda slug: f"https://crm.example/t/{slug}"])
    smtp.letters.clear()
    yield made
    platform = made.tables.platform
    with made.begin() as connection:
        for table in (
            *(made.tables.entity[name] for name in ("email_message", "lead")),
            *(platform.mail, platform.mail_trace, platform.mail_seen, platform.suppressed, platform.run),
        ):
            connection.execute(sa.delete(table))


@pytest.fixture
def store(tenant: Tenant) -> Store:
    return Store(tenant, system_of(tenant))


def sent(store: Store, catalogue: Catalogue, smtp: Mailbox, **more: Any) -> str:
    """The HTML of the letter to a new lead."""
    store.create("lead", {"name": "Ann", "email": "ann@x.example", **more})
    drain(catalogue, store.tenant)
    body = smtp.letters[-1].get_body(("html",))
    assert body is not None
    return str(body.get_content())


def look(
    store: Store, token: str, link: int | None = None, agent: str = BROWSER, later: float = 60, **headers: str
) -> None:
    given: Mapping[str, str] = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    with moved(timedelta(seconds=later)):
        tracing.note(store, token, "open" if link is None else "click", link, agent, given)


def kept(store: Store) -> tuple[Any, ...]:
    (row,) = store.list("email_message", columns=["opens", "clicks", "opened_at", "clicked_at"]).rows
    return row["opens"], row["clicks"], row["opened_at"] is not None, row["clicked_at"] is not None


def only(store: Store) -> tracing.Seen:
    (row,) = store.list("email_message", columns=[]).rows
    with store.transaction() as connection:
        return tracing.seen(connection, store.tenant, [row.id]).get(row.id, tracing.Seen())


def test_links_lead_by_us_and_only_where_the_letter_says(
    tenant: Tenant, store: Store, catalogue: Catalogue, smtp: Mailbox
) -> None:
    html = sent(store, catalogue, smtp)
    found = [(token, int(number)) for _url, token, number in LINK.findall(html)]
    assert [number for _token, number in found] == [0, 0, 1]
    token = found[0][0]
    assert f"https://crm.example/t/traced/m/{token}.gif" in html
    assert "example.com/offer" not in html
    assert f"/m/{token}" not in re.findall(r'href="([^"]*unsubscribe[^"]*)"', html)[0]  # the way out is nobody's link
    plain = smtp.letters[-1].get_body(("plain",))
    assert plain is not None
    assert "https://www.example.com/offer" in plain.get_content()
    assert tracing.target_of(tenant, token, 0) == "https://www.example.com/offer?a=1&b=2"
    assert tracing.target_of(tenant, token, 1) == "https://www.example.com/other"
    assert tracing.target_of(tenant, token, 2) is None
    assert tracing.target_of(tenant, "0" * 32, 0) is None
    assert tracing.target_of(tenant, f"{token}' OR 1=1", 0) is None


def test_what_people_do_is_told_to_the_record_and_to_workflows(
    tenant: Tenant, store: Store, catalogue: Catalogue, smtp: Mailbox
) -> None:
    token = LINK.findall(sent(store, catalogue, smtp))[0][1]
    look(store, token)
    look(store, token, later=90)  # the same look
    assert kept(store) == (1, None, True, False) or kept(store) == (1, 0, True, False)
    look(store, token, later=3600)
    look(store, token, 1, later=3605)
    assert kept(store) == (2, 1, True, True)
    drain(catalogue, tenant)
    (lead,) = store.list("lead", columns=["warm"]).rows
    assert lead["warm"] is True
    with tenant.begin() as connection:
        assert tracing.by_step(connection, tenant, "offers") == {"0": (1, 1, 1)}


@pytest.mark.parametrize(
    "how",
    [
        {"later": 1},  # before anybody could have read it
        {"agent": ""},
        {"agent": "Mozilla/5.0"},  # Apple loads every picture beforehand
        {"agent": "Barracuda Sentinel (EE)"},
        {"Purpose": "prefetch"},
    ],
)
def test_machines_are_no_readers(
    tenant: Tenant, store: Store, catalogue: Catalogue, smtp: Mailbox, how: dict[str, Any]
) -> None:
    token = LINK.findall(sent(store, catalogue, smtp))[0][1]
    look(store, token, **how)
    assert (only(store).opens, only(store).machines) == (0, 1)


def test_who_follows_all_links_at_once_is_a_machine(
    tenant: Tenant, store: Store, catalogue: Catalogue, smtp: Mailbox
) -> None:
    token = LINK.findall(sent(store, catalogue, smtp))[0][1]
    look(store, token, 0)
    look(store, token, 1, later=61)
    assert (only(store).clicks, only(store).machines) == (0, 2)
    assert kept(store)[1] == 0


def test_who_minds_is_not_noted(tenant: Tenant, store: Store, catalogue: Catalogue, smtp: Mailbox) -> None:
    assert "/m/" not in sent(store, catalogue, smtp, do_not_track=True)
    token = LINK.findall(sent(store, catalogue, smtp, email="bob@x.example"))[0][1]
    look(store, token, DNT="1")
    look(store, token, Sec_GPC="1")
    with tenant.begin() as connection:
        assert (
            connection.execute(sa.select(sa.func.count()).select_from(tenant.tables.platform.mail_seen)).scalar() == 0
        )
        optouts.suppress(connection, tenant, "email", "eve@x.example", "opted_out")
    with store.transaction():
        (letter,) = [tracing.trace_of(store, LETTER, "eve@x.example", Tracking(True, True))]
    assert letter is None


def test_without_an_address_of_ours_nothing_is_noted(
    tenant: Tenant, store: Store, catalogue: Catalogue, smtp: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "_where", [])
    assert "https://www.example.com/other" in sent(store, catalogue, smtp)


def test_what_is_nearest_to_a_letter_counts_but_an_account_may_forbid_it() -> None:
    yes, no = Tracking(True, True), Tracking()
    assert not tracking_of(None)
    assert tracking_of(yes) == yes
    assert tracking_of(yes, no) == no
    assert tracking_of(None, None, Tracking(True)) == Tracking(True)
    assert tracking_of(no, yes) == no
