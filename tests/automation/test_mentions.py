"""Mentions, notes and followers: who hears of what somebody writes, in the way that they have chosen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from tests.automation.mail.mailbox import Mailbox, mail_server
from tests.conftest import layers_of

import trellis.automation.workflows.engine
import trellis.identity.automating  # noqa: F401 (knows people as principals)
from trellis.automation import channels, notices
from trellis.automation.live import hub_of
from trellis.automation.mentions import Someone, follow, named_in, writing_of
from trellis.automation.noticing import send_digests
from trellis.automation.worker import drain
from trellis.formula.reader import Reader
from trellis.formula.types import Ref
from trellis.identity.accounts import find_account, set_password
from trellis.records.principal import Principal
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant

YAML = """
entity: deal
title: name
fields:
  name: {type: text, required: true}
  owner: {type: user, role: owner}
  remark: {type: long_text}
---
entity: note
title: '{left(text, 20)}'
fields:
  about: {type: any_link, to: "*", required: true}
  text: {type: long_text, required: true}
---
role: rep
grants: {"*": {read: all, create: true, update: all}}
---
role: own
grants: {"*": {read: own}, user: {read: all}}
"""


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    with pytest.MonkeyPatch.context() as patch, mail_server() as mailbox:
        patch.setenv("TRELLIS_OUTGOING_ALLOW", "127.0.0.1")
        yield mailbox


@pytest.fixture(scope="module")
def tenant(catalogue: Catalogue, mailbox: Mailbox) -> Iterator[Tenant]:
    made = catalogue.create("mentions", layers_of(YAML, "mentions", profile=mailbox.profile), "test")
    yield made
    catalogue.drop("mentions")


def person(tenant: Tenant, name: str, role: str = "rep", **values: Any) -> UUID:
    """Somebody who may sign in."""
    system = Store(tenant, Principal.system(Reader()))
    email = f"{uuid4().hex[:8]}@x.example"
    id = system.create("user", {"name": name, "email": email, "roles": [role], **values}).id
    account = find_account(tenant, email)
    assert account is not None
    with tenant.begin() as connection:
        set_password(connection, tenant, account, "not a secret at all")
    return id


def as_person(tenant: Tenant, user: UUID) -> Store:
    reader = Reader(me=Ref("user", user), roles=frozenset({"rep"}))
    return Store(tenant, Principal(reader, user, "Rita", frozenset({"rep"})))


def told(tenant: Tenant, user: UUID) -> list[tuple[str, str]]:
    with tenant.begin() as connection:
        return [(row["kind"], row["text"]) for row in reversed(notices.notices(connection, tenant, user))]


def choose(tenant: Tenant, user: UUID, hour: int = 8, **kinds: channels.Choice) -> None:
    table = tenant.tables.platform.preference
    with tenant.begin() as connection:
        value = channels.write_choices(kinds, hour)
        connection.execute(sa.insert(table).values(user=user, key=channels.PREFERENCE, value=value))


EVERYBODY = [
    Someone(UUID(int=1), "Ann Lee", "ann@x.example"),
    Someone(UUID(int=2), "Ann", "a@x.example"),
    Someone(UUID(int=3), "Bo", "bo@x.example"),
    Someone(UUID(int=4), "Bo", "bo2@x.example"),
    Someone(UUID(int=5), "王丽娜", "lina@x.example"),
]


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("@Ann Lee please look", [1]),
        ("hello @ann, and @ANN LEE", [2, 1]),
        ("@Annabel is somebody else", []),
        ("write to x@ann.example", []),
        ("@Bo has two people", []),
        ("@bo2@x.example is one", [4]),
        ("请@王丽娜看一下", [5]),
        ("", []),
    ],
)
def test_names_are_found_in_a_text(text: str, who: list[int]) -> None:
    assert [one.id.int for one in named_in(text, EVERYBODY)] == who


def test_a_name_is_written_so_that_nobody_else_is_meant() -> None:
    assert [writing_of(one, EVERYBODY) for one in EVERYBODY[1:4]] == ["Ann", "bo@x.example", "bo2@x.example"]


def test_who_is_named_hears_of_it_once_and_only_who_may_read_the_record(catalogue: Catalogue, tenant: Tenant) -> None:
    rita, mona, eve = person(tenant, "Rita"), person(tenant, "Mona Berg"), person(tenant, "Eve Dark", "own")
    store = as_person(tenant, rita)
    deal = store.create("deal", {"name": "Pumps", "remark": "@Mona Berg and @Eve Dark and @Rita: now?"})
    drain(catalogue, tenant)
    store.update("deal", deal.id, {"remark": "@Mona Berg and @Eve Dark and @Rita: now!"})
    drain(catalogue, tenant)
    assert told(tenant, mona) == [("mention", "Rita mentions you in Pumps: @Mona Berg and @Eve Dark and @Rita: now?")]
    assert told(tenant, eve) == []  # may not read it
    assert told(tenant, rita) == []  # it was she who wrote it


def test_notes_are_told_to_owner_and_followers_of_their_record(catalogue: Catalogue, tenant: Tenant) -> None:
    rita, olaf, fay, mia = (person(tenant, name) for name in ("Rita R", "Olaf", "Fay", "Mia Moe"))
    store = as_person(tenant, rita)
    deal = store.create("deal", {"name": "Valves", "owner": Ref("user", olaf)})
    with tenant.begin() as connection:
        for _ in range(2):
            follow(connection, tenant, fay, deal.ref, on=True)
        follow(connection, tenant, rita, deal.ref, on=True)
    store.create("note", {"about": deal.ref, "text": "Called. @Mia Moe knows."})
    drain(catalogue, tenant)
    said = "Rita has written about Valves: Called. @Mia Moe knows."
    assert told(tenant, olaf) == told(tenant, fay) == [("comment", said)]
    assert [kind for kind, _text in told(tenant, mia)] == ["mention"]
    assert told(tenant, rita) == []


def tell(tenant: Tenant, user: UUID, text: str, kind: str = "workflow", via: tuple[str, ...] = ()) -> None:
    with tenant.begin() as connection:
        notices.tell(connection, tenant, [user], text, kind=kind, via=via)


def test_each_hears_in_the_way_that_they_have_chosen(catalogue: Catalogue, tenant: Tenant, mailbox: Mailbox) -> None:
    mailbox.letters.clear()
    app, mail, off, chinese = (person(tenant, n) for n in ("App", "Mail", "Off", "Zhao"))
    choose(tenant, mail, workflow=channels.Choice(app=False, mail="now"))
    choose(tenant, off, workflow=channels.Choice(app=False, mail="no"))
    for user in (app, mail, off):
        tell(tenant, user, "Look at this")
    tell(tenant, chinese, "Please decide", "approval")
    drain(catalogue, tenant)
    assert [len(told(tenant, user)) for user in (app, mail, off, chinese)] == [1, 0, 0, 1]
    assert sorted(letter["Subject"] for letter in mailbox.letters) == ["Look at this", "Please decide"]


def test_a_step_that_says_the_ways_is_obeyed_but_for_who_has_turned_it_off(
    catalogue: Catalogue, tenant: Tenant, mailbox: Mailbox
) -> None:
    mailbox.letters.clear()
    anna, off = person(tenant, "Anna"), person(tenant, "Off too")
    choose(tenant, off, workflow=channels.Choice(app=False, mail="no"))
    for user in (anna, off):
        tell(tenant, user, "By mail only", via=("email",))
    drain(catalogue, tenant)
    assert told(tenant, anna) == told(tenant, off) == []
    assert len(mailbox.letters) == 1


def test_a_days_notices_come_in_one_letter_at_the_readers_hour(
    catalogue: Catalogue, tenant: Tenant, mailbox: Mailbox
) -> None:
    mailbox.letters.clear()
    dora = person(tenant, "Dora", time_zone="Asia/Shanghai")
    choose(tenant, dora, 17, workflow=channels.Choice(mail="daily"), mention=channels.Choice(mail="daily"))
    tell(tenant, dora, "First")
    tell(tenant, dora, "Second", "mention")
    today = datetime.now(UTC).replace(minute=3)
    with tenant.begin() as connection:
        assert send_digests(connection, tenant, today.replace(hour=17)) == 0  # 1 a.m. there
        assert send_digests(connection, tenant, today.replace(hour=9)) == 1
        assert send_digests(connection, tenant, today.replace(hour=9) + timedelta(days=1)) == 0  # nothing is left
    drain(catalogue, tenant)
    [letter] = mailbox.letters
    text = letter.get_body(("plain",)).get_content()
    assert "· First" in text
    assert "· Second" in text


def test_open_pages_are_called_when_the_transaction_is_committed(tenant: Tenant) -> None:
    ann, other = person(tenant, "Ann C"), person(tenant, "Other C")
    hub = hub_of(tenant.database)
    with hub.listening(tenant.slug, ann) as wakes, hub.listening(tenant.slug, other) as others:
        assert hub.ready.wait(10)
        wakes.wait(1)  # it wakes all when it begins to listen
        wakes.clear()
        others.clear()
        with tenant.begin() as connection:
            notices.tell(connection, tenant, [ann], "New", kind="workflow")
            assert not wakes.is_set()
        assert wakes.wait(10)
        assert not others.is_set()
    assert hub.count == 0
    hub.close()
