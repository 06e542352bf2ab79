"""From a change to the receiver: signed, once, in order, and again for two days when it is not heard."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from standardwebhooks.webhooks import Webhook as Verifier
from tests.api.conftest import Office
from tests.api.webhooks.conftest import Make
from tests.api.webhooks.receiver import Receiver

from trellis.api.webhooks import delivering, keeping, log, telling
from trellis.api.webhooks.webhook import read_webhook, read_webhooks
from trellis.automation import notices
from trellis.automation.outgoing import Limits
from trellis.automation.worker import drain
from trellis.formula import clock
from trellis.model.sealing import is_sealed, unseal
from trellis.records.store import Store
from trellis.storage.backup import back_up, restore
from trellis.storage.catalogue import Catalogue


class Ahead(datetime):
    """The clock of a machine that is ten hours ahead of the database's."""

    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return datetime.now(tz) + timedelta(hours=10)


def work(catalogue: Catalogue, office: Office) -> int:
    return drain(catalogue, office.tenant)


def later(office: Office) -> None:
    """All that waits is due."""
    table = office.tenant.tables.platform.webhook_message
    with office.tenant.begin() as connection:
        connection.execute(sa.update(table).where(table.c.state == "waiting").values(next_at=datetime.now(UTC)))
        for webhook in connection.execute(sa.select(table.c.webhook).distinct()).scalars():
            delivering.wake(connection, webhook)


def test_a_change_is_told(catalogue: Catalogue, office: Office, receiver: Receiver, make: Make, store: Store) -> None:
    webhook = make()
    made = store.create("account", {"name": "Acme"})
    store.update("account", made.id, {"name": "Acme & Co"})
    work(catalogue, office)
    assert receiver.types == ["account.created", "account.updated"]
    created, updated = (heard.event for heard in receiver.heard)
    assert created["specversion"] == "1.0"
    assert created["source"] == f"/t/{office.tenant.slug}"
    assert created["subject"] == f"account/{made.id}"
    assert updated["data"]["record"]["name"] == "Acme & Co"
    assert updated["data"]["changed"]["name"] == {"old": "Acme", "new": "Acme & Co"}
    assert updated["data"]["by"]["id"] == str(office.mona)
    assert created["sequence"] < updated["sequence"]
    secret = unseal(webhook.secret)
    assert is_sealed(webhook.secret)
    for heard in receiver.heard:
        assert heard.headers["content-type"].startswith("application/cloudevents+json")
        assert Verifier(secret).verify(heard.body, dict(heard.headers)) == heard.event
        assert heard.headers["webhook-id"] == heard.event["id"]
    assert [m.state for m in log.messages(office.tenant, webhook.id)] == ["delivered", "delivered"]
    assert work(catalogue, office) == 0


def test_a_worker_whose_clock_is_ahead_tells_at_once_and_again_in_time(
    catalogue: Catalogue,
    office: Office,
    receiver: Receiver,
    make: Make,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    webhook = make()
    receiver.status = 500
    store.create("account", {"name": "Acme"})
    for module in (clock, telling, delivering):
        monkeypatch.setattr(module, "datetime", Ahead, raising=False)
    work(catalogue, office)
    assert receiver.types == ["account.created"]
    [message] = log.messages(office.tenant, webhook.id)
    assert message.next_at is not None
    assert message.next_at - datetime.now(UTC) < timedelta(hours=1)


def test_what_nobody_listens_to_is_not_told(
    catalogue: Catalogue, office: Office, receiver: Receiver, make: Make, store: Store
) -> None:
    make(events=("deleted",))
    store.create("account", {"name": "Silent"})
    store.create("product", {"code": "S1", "name": "Silent"})
    work(catalogue, office)
    assert receiver.heard == []


def test_every_kind_of_event(
    catalogue: Catalogue, office: Office, receiver: Receiver, make: Make, store: Store
) -> None:
    make("*", ("moved", "deleted", "restored", "merged", "converted", "linked", "unlinked"))
    account = store.create("account", {"name": "Kinds"})
    order = store.create("order", {"number": "K-1", "name": "K", "account": account.id})
    store.update("order", order.id, {"due": "2030-01-01"})
    contact = store.create("contact", {"name": "Conny", "account": account.id})
    store.link("order", order.id, "contacts", contact.id)
    store.unlink("order", order.id, "contacts", contact.id)
    other = store.create("account", {"name": "Kinds again"})
    store.merge("account", account.id, [other.id])
    store.delete("contact", contact.id)
    store.restore("contact", contact.id)
    lead = store.create("lead", {"name": "Lena", "company": "Kinds Ltd"})
    store.convert("lead", lead.id)
    work(catalogue, office)
    told = {heard.event["type"]: heard.event for heard in receiver.heard}
    assert {"order.linked", "order.unlinked", "account.merged", "contact.deleted", "contact.restored"} <= set(told)
    assert "lead.converted" in told
    assert [h["type"] for h in (x.event for x in receiver.heard)].count("lead.converted") == 1
    assert told["account.deleted"]["data"]["merged_into"] == str(account.id)


def test_only_what_meets_the_formula(
    catalogue: Catalogue, office: Office, receiver: Receiver, make: Make, store: Store
) -> None:
    make("order", ("created", "updated"), formula="discount > 10 and (is_new or old.discount <= 10)")
    account = store.create("account", {"name": "Formula"})
    for number, discount in (("F-1", 5), ("F-2", 20)):
        store.create("order", {"number": number, "name": "x", "account": account.id, "discount": discount})
    one = store.list("order", columns=["number"], where=['number == "F-1"']).rows[0]
    store.update("order", one.id, {"discount": 15})
    store.update("order", one.id, {"discount": 16})
    work(catalogue, office)
    assert [(h.event["type"], h.event["data"]["record"]["number"]) for h in receiver.heard] == [
        ("order.created", "F-2"),
        ("order.updated", "F-1"),
    ]


def test_the_owners_rights_hold(
    catalogue: Catalogue, office: Office, receiver: Receiver, make: Make, store: Store
) -> None:
    make("order", ("created", "updated"), owner=office.carl)
    account = store.create("account", {"name": "Rights"})
    store.create("order", {"number": "RIGHTS-1", "name": "x", "account": account.id})  # mona's: carl sees his own
    mine = store.create("order", {"number": "RIGHTS-2", "name": "x", "account": account.id, "owner": office.carl})
    store.update(
        "order",
        mine.id,
        {"margin": 12, "phone": "+49 30 123456", "internal": "psst", "token": "t0p", "due": "2031-01-01"},
    )
    work(catalogue, office)
    assert [h.event["data"]["record"]["number"] for h in receiver.heard] == ["RIGHTS-2", "RIGHTS-2"]
    record, changed = (receiver.heard[1].event["data"][part] for part in ("record", "changed"))
    assert set(changed) == {"due"}
    assert not {"margin", "internal", "token"} & set(record)
    assert b"123456" not in receiver.heard[1].body
    assert b"psst" not in receiver.heard[1].body


def test_an_owner_who_is_gone_pauses_it(
    catalogue: Catalogue, office: Office, receiver: Receiver, make: Make, store: Store
) -> None:
    webhook = make()
    table = office.tenant.tables.platform.webhook
    with office.tenant.begin() as connection:
        connection.execute(sa.update(table).values(owner=webhook.id))
    store.create("account", {"name": "Gone"})
    work(catalogue, office)
    with office.tenant.begin() as connection:
        assert read_webhook(connection, office.tenant, webhook.id).reason == "owner"
    assert receiver.heard == []


def test_what_is_not_heard_is_sent_again_with_the_same_id(
    catalogue: Catalogue, office: Office, receiver: Receiver, make: Make, store: Store
) -> None:
    webhook = make()
    receiver.status = 500
    store.create("account", {"name": "Again"})
    work(catalogue, office)
    [message] = log.messages(office.tenant, webhook.id)
    assert (message.state, message.tries, message.status) == ("waiting", 1, 500)
    receiver.status = 204
    later(office)
    work(catalogue, office)
    assert len({heard.headers["webhook-id"] for heard in receiver.heard}) == 1
    assert len({heard.body for heard in receiver.heard}) == 1
    [message] = log.messages(office.tenant, webhook.id)
    assert (message.state, message.tries, message.status) == ("delivered", 2, 204)
    assert [a.status for a in log.message(office.tenant, webhook.id, message.id)[2]] == [204, 500]


def test_it_is_sent_over_two_days_and_then_has_failed(
    catalogue: Catalogue, office: Office, receiver: Receiver, make: Make, store: Store
) -> None:
    assert timedelta(hours=46) < timedelta(seconds=sum(delivering.WAITS)) < timedelta(hours=50)
    webhook = make()
    receiver.status = 503
    store.create("account", {"name": "Never"})
    work(catalogue, office)
    for _ in range(len(delivering.WAITS) + 3):
        later(office)
        work(catalogue, office)
    assert len(receiver.heard) == len(delivering.WAITS) + 1
    [message] = log.messages(office.tenant, webhook.id)
    assert message.state == "failed"


def test_a_receiver_that_asks_for_time_gets_it(
    catalogue: Catalogue, office: Office, receiver: Receiver, make: Make, store: Store
) -> None:
    webhook = make()
    receiver.status, receiver.after = 429, "3600"
    store.create("account", {"name": "Slowly"})
    work(catalogue, office)
    [message] = log.messages(office.tenant, webhook.id)
    assert message.next_at is not None
    assert message.next_at > datetime.now(UTC) + timedelta(minutes=50)


def test_410_disables_it(catalogue: Catalogue, office: Office, receiver: Receiver, make: Make, store: Store) -> None:
    webhook = make()
    receiver.status = 410
    store.create("account", {"name": "One"})
    store.create("account", {"name": "Two"})
    work(catalogue, office)
    assert len(receiver.heard) == 1
    with office.tenant.begin() as connection:
        now = read_webhook(connection, office.tenant, webhook.id)
    assert (now.state, now.reason) == ("disabled", "gone")
    store.create("account", {"name": "Three"})
    work(catalogue, office)
    assert len(receiver.heard) == 1
    receiver.status = 200
    keeping.resume(office.tenant, webhook.id)
    work(catalogue, office)
    assert len(receiver.heard) == 2  # the second; the third nobody listened to


def test_one_that_never_hears_is_paused(
    catalogue: Catalogue, office: Office, receiver: Receiver, make: Make, store: Store
) -> None:
    webhook = make()
    receiver.status = 500
    table = office.tenant.tables.platform.webhook
    with office.tenant.begin() as connection:
        connection.execute(sa.update(table).values(failing_since=datetime.now(UTC) - timedelta(days=2, minutes=1)))
    store.create("account", {"name": "Failing"})
    work(catalogue, office)
    with office.tenant.begin() as connection:
        now = read_webhook(connection, office.tenant, webhook.id)
    assert (now.state, now.reason) == ("paused", "failing")
    with office.tenant.begin() as connection:
        [notice] = notices.notices(connection, office.tenant, office.mona, limit=1)
    assert notice["text"] == "The webhook “Test” is paused: nothing has arrived for two days."
    assert notice["address"] == f"admin/webhooks/{webhook.id}"
    receiver.status = 200
    keeping.resume(office.tenant, webhook.id)
    work(catalogue, office)
    assert [m.state for m in log.messages(office.tenant, webhook.id)] == ["delivered"]


def test_one_that_hangs_is_left_alone_for_a_while(
    catalogue: Catalogue,
    office: Office,
    receiver: Receiver,
    make: Make,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(delivering, "LIMITS", Limits(connect=0.2, total=0.2))
    webhook = make()
    receiver.wait = 1
    for n in range(5):
        store.create("account", {"name": f"Hang {n}"})
    began = time.monotonic()
    work(catalogue, office)
    assert time.monotonic() - began < 5
    assert len(receiver.heard) == 1
    assert {m.error for m in log.messages(office.tenant, webhook.id)} == {None, "timeout"}


def test_old_and_new_secret_both_sign_for_a_day(
    catalogue: Catalogue, office: Office, receiver: Receiver, make: Make, store: Store
) -> None:
    webhook = make()
    old = unseal(webhook.secret)
    new = keeping.rotate(office.tenant, webhook.id)
    store.create("account", {"name": "Rotated"})
    work(catalogue, office)
    [heard] = receiver.heard
    assert len(heard.headers["webhook-signature"].split()) == 2
    for secret in (old, new):
        Verifier(secret).verify(heard.body, dict(heard.headers))
    keeping.rotate(office.tenant, webhook.id, at_once=True)
    log.replay(office.tenant, webhook.id, [log.messages(office.tenant, webhook.id)[0].id])
    work(catalogue, office)
    assert len(receiver.heard[1].headers["webhook-signature"].split()) == 1


def test_messages_are_sent_once_more(
    catalogue: Catalogue, office: Office, receiver: Receiver, make: Make, store: Store
) -> None:
    webhook = make()
    began = datetime.now(UTC)
    for n in range(3):
        store.create("account", {"name": f"Replay {n}"})
    work(catalogue, office)
    first = [heard.headers["webhook-id"] for heard in receiver.heard]
    assert log.replay(office.tenant, webhook.id, [log.messages(office.tenant, webhook.id)[0].id]) == 1
    work(catalogue, office)
    assert receiver.heard[3].headers["webhook-id"] == first[2]
    assert log.replay_since(office.tenant, webhook.id, began) == 3
    assert log.replay_since(office.tenant, webhook.id, began, failed=True) == 0
    work(catalogue, office)
    assert [heard.headers["webhook-id"] for heard in receiver.heard[4:]] == first


def test_a_message_to_try_it_out(office: Office, receiver: Receiver, make: Make) -> None:
    webhook = make()
    attempt = log.ping(office.tenant, webhook.id)
    assert attempt.is_delivered
    [heard] = receiver.heard
    assert heard.event["type"] == "trellis.ping"
    Verifier(unseal(webhook.secret)).verify(heard.body, dict(heard.headers))
    receiver.status = 404
    assert log.ping(office.tenant, webhook.id).status == 404


def test_one_that_hears_again_when_it_is_tried_out_is_no_longer_failing(
    catalogue: Catalogue, office: Office, receiver: Receiver, make: Make, store: Store
) -> None:
    webhook = make()
    receiver.status = 500
    store.create("account", {"name": "Mended"})
    work(catalogue, office)
    receiver.status = 200
    log.ping(office.tenant, webhook.id)
    with office.tenant.begin() as connection:
        assert read_webhook(connection, office.tenant, webhook.id).failing_since is None


def test_many_changes_at_once_are_told_one_by_one_in_order(
    catalogue: Catalogue, office: Office, receiver: Receiver, make: Make, store: Store
) -> None:
    make()
    store.create_many("account", [{"name": f"Many {n}"} for n in range(25)])
    assert work(catalogue, office) <= 4
    assert [h.event["data"]["record"]["name"] for h in receiver.heard] == [f"Many {n}" for n in range(25)]


def test_the_log_is_purged(catalogue: Catalogue, office: Office, receiver: Receiver, make: Make, store: Store) -> None:
    from trellis.api.webhooks.purging import PURGE
    from trellis.automation import jobs

    webhook = make()
    store.create("account", {"name": "Old"})
    store.create("account", {"name": "New"})
    work(catalogue, office)
    old = log.messages(office.tenant, webhook.id)[1].id
    table = office.tenant.tables.platform.webhook_message
    with office.tenant.begin() as connection:
        connection.execute(sa.update(table).where(table.c.id == old).values(at=datetime.now(UTC) - timedelta(days=31)))
        jobs.defer(connection, PURGE)
    work(catalogue, office)
    assert len(log.messages(office.tenant, webhook.id)) == 1


def test_a_restored_copy_tells_nothing_by_itself(
    catalogue: Catalogue, office: Office, receiver: Receiver, make: Make, store: Store, tmp_path: Path
) -> None:
    import trellis.automation.restoring  # noqa: F401 - as the command line has it

    make()
    receiver.status = 500
    store.create("account", {"name": "Before the backup"})
    work(catalogue, office)
    store.create("account", {"name": "Not yet told"})
    back_up(catalogue, office.tenant.slug, tmp_path / "office.zip", tmp_path)
    copy = restore(catalogue, tmp_path / "office.zip", "test", tmp_path, slug="office-copy")
    heard = len(receiver.heard)
    try:
        with copy.begin() as connection:
            [webhook] = read_webhooks(connection, copy)
            assert (webhook.state, webhook.reason) == ("paused", "restored")
        drain(catalogue, copy)
        assert len(receiver.heard) == heard
        receiver.status = 200
        keeping.resume(copy, webhook.id)
        drain(catalogue, copy)
        assert len(receiver.heard) == heard + 1  # what had been tried before
    finally:
        catalogue.drop("office-copy")
