"""Erasing a person: nothing of them is found any more, and every total stays."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from tests.records.privacy.conftest import Shop

from trellis.formula.reader import Reader
from trellis.formula.types import Ref
from trellis.records.principal import Principal
from trellis.records.privacy import erasing, holding
from trellis.records.refusal import Forbidden, Missing, Refused
from trellis.records.store import Store
from trellis.records.writing.files import save_file
from trellis.storage.audit import note
from trellis.storage.audit.verify import verify

WORDS = ("Zelda", "Quiverling", "zelda@quiver.example", "+49301234", "Secret remark", "Likes tea", "Elm Street")


def everything(shop: Shop) -> str:
    """All rows of all tables as text."""
    found = []
    with shop.tenant.begin() as connection:
        for table in shop.tenant.tables.metadata.tables.values():
            if table.name.startswith("ab_"):
                continue
            rows = connection.exec_driver_sql(f'SELECT row_to_json(t)::text FROM "{table.name}" t').scalars()
            found += [f"{table.name}: {row}" for row in rows]
    return "\n".join(found)


def erase(door: Store, id: UUID, *also: Ref, reason: str = "") -> erasing.Erased:
    with door.session.write():
        return erasing.erase(door.session, "contact", id, also, reason=reason)


def plan(door: Store, id: UUID, *also: Ref) -> erasing.Plan:
    with door.transaction():
        return erasing.plan(door.session, "contact", id, also)


@pytest.fixture
def zelda(shop: Shop, tmp_path: Path) -> UUID:
    field = shop.tenant.model.entities["contact"].fields["photo"]
    photo = save_file(
        shop.rep, tmp_path, io.BytesIO(b"\x89PNG" + tmp_path.name.encode()), "zelda.png", "contact", field
    )
    id = shop.contact(
        "Zelda Quiverling",
        email=["zelda@quiver.example"],
        phone="+49 30 1234567",
        birthday="1990-01-02",
        photo=[photo.as_value()],
        city="Kiel",
        visits=[{"remark": "Secret remark"}],
    )
    shop.rep.update("contact", id, {"name": "Zelda Q. Quiverling", "city": "Bonn"})
    shop.rep.create("note", {"about": {"entity": "contact", "id": str(id)}, "text": "Likes tea", "stars": 5})
    return id


def test_nothing_of_the_person_is_left_in_any_table(shop: Shop, zelda: UUID, tmp_path: Path) -> None:
    order = shop.rep.create(
        "order",
        {"number": "O-1", "contact": zelda, "total": 120, "ship_to": {"street": "Elm Street 1", "city": "Bonn"}},
    )
    twin = shop.contact("Zelda Quiverling", email=["zelda@quiver.example"])
    shop.rep.create("order", {"number": "O-2", "contact": twin, "total": 30})
    shop.rep.merge("contact", zelda, [twin])
    friend = shop.contact("Fred Friend", best_friend=zelda)
    with shop.tenant.begin() as connection:
        note(connection, shop.tenant, "sign-in.failed", label="zelda@quiver.example")
        note(connection, shop.tenant, "data.exported", entity="contact", record=zelda, label="Zelda Quiverling")
    before = everything(shop)
    assert all(word in before for word in WORDS)

    done = erase(shop.officer, zelda, reason="asked on 3 May")

    after = everything(shop)
    assert [word for word in WORDS if word in after] == []
    assert "zelda" not in after.lower()
    record = shop.system.read("contact", zelda)
    assert record.title == f"Erased {zelda.hex[-8:]}"
    assert (record["spent"].amount, record["city"], record["birthday"], record["phone"]) == (150, "Bonn", None, None)
    assert shop.system.read("order", order.id)["contact"].title == record.title
    assert shop.system.read("contact", friend)["name"]["last"] == "Friend"
    assert shop.system.search("Zelda") == []
    assert [c.title for c in shop.system.search("Friend")] == ["Fred Friend"]
    assert shop.system.list("note", columns=["stars"], where=["stars == 5"]).rows[0]["stars"] == 5
    history = shop.system.history("contact", zelda)
    assert history[0].kind == "erase"
    assert any(c.field == "city" and c.new == "Bonn" for h in history for c in h.changes)
    assert shop.system.merges("contact", zelda) == []
    assert len(done.contents) == 1
    [content] = [path for path in tmp_path.rglob("*") if path.is_file()]
    erasing.remove_contents(tmp_path, shop.tenant.slug, done)
    assert not content.exists()
    with shop.tenant.begin() as connection:
        verdict = verify(connection, shop.tenant)
        entry = connection.execute(
            sa.select(shop.tenant.tables.platform.audit).where(
                shop.tenant.tables.platform.audit.c.kind == "privacy.erased"
            )
        ).one()
    assert verdict.is_whole, verdict.findings
    details = json.loads(entry.details)
    assert (entry.by_name, entry.record, details["reason"]) == ("Olga", zelda, "asked on 3 May")
    assert len(details["forgotten"]) == 2


def test_what_has_gone_out_or_waits_is_erased_and_what_goes_on_ends(shop: Shop) -> None:
    id = shop.contact("Wanda Waiting", email=["wanda@wait.example"])
    tables, run, message = shop.tenant.tables.platform, uuid4(), uuid4()
    here = {"entity": "contact", "record": id}
    told = {"name": [None, {"last": "Wanda Waiting"}], "city": [None, "Rome"]}
    rows: list[tuple[sa.Table, dict[str, Any]]] = [
        (tables.notice, {"id": uuid4(), "user": uuid4(), "kind": "mention", "text": "Wanda Waiting is late", **here}),
        (tables.mail, {"id": uuid4(), "kind": "x", "to": "WANDA@wait.example", "subject": "Hi", "body": "Dear Wanda"}),
        (tables.event, {"kind": "created", "means": "page", "changes": told, **here}),
        (tables.webhook_message, {"id": message, "webhook": uuid4(), "type": "t", "body": f"{id} Wanda", **here}),
        (tables.webhook_attempt, {"message": message, "webhook": uuid4(), "excerpt": "got Wanda"}),
        (
            tables.run,
            {
                "id": run,
                "workflow": "w",
                "digest": "d",
                "revision": 1,
                "trigger": "t",
                "state": "waiting",
                "variables": {"name": "Wanda"},
                **here,
            },
        ),
        (tables.run_step, {"run": run, "place": "1", "verb": "log", "outcome": "done", "detail": {"text": "Wanda"}}),
    ]
    with shop.tenant.begin() as connection:
        for table, row in rows:
            needed = {c.name for c in table.columns if not c.nullable and c.server_default is None}
            blank = {name: {} if isinstance(table.c[name].type, sa.JSON) else "x" for name in needed - set(row)}
            blank.pop("id", None)
            moments = {n: datetime.now(UTC) for n in blank if isinstance(table.c[n].type, sa.DateTime)}
            numbers = {n: 0 for n in blank if isinstance(table.c[n].type, sa.Integer)}
            connection.execute(sa.insert(table), {**blank, **moments, **numbers, **row})
    assert "wanda" in everything(shop).lower()
    erase(shop.officer, id)
    assert "wanda" not in everything(shop).lower()
    with shop.tenant.begin() as connection:
        state = connection.execute(sa.select(tables.run.c.state).where(tables.run.c.id == run)).scalar_one()
        changes = (
            connection.execute(sa.select(tables.event.c.changes).where(tables.event.c.record == id)).scalars().all()
        )
    assert state == "cancelled"
    assert {"city": [None, "Rome"]} in changes


def test_who_came_through_the_portal_comes_in_no_more(shop: Shop) -> None:
    id, other = shop.contact("Gil Guest", email=["gil@guest.example"]), shop.contact("Em Ployee")
    guest = shop.system.create(
        "user", {"name": "Gil Guest", "email": "gil@guest.example", "roles": ["guest"], "contact": id}
    )
    worker = shop.system.create(
        "user", {"name": "Em Ployee", "email": "em@shop.example", "roles": ["rep"], "contact": other}
    )
    door = Store(shop.tenant, Principal(Reader(), id=guest.id, name="Gil Guest", is_system=True))
    door.create("note", {"about": {"entity": "contact", "id": str(other)}, "text": "I was here"})
    erase(shop.officer, id)
    erase(shop.officer, other)
    gone = shop.system.read("user", guest.id)
    assert (gone.title, gone["active"]) == (f"Erased {guest.id.hex[-8:]}", False)
    assert shop.system.read("user", worker.id).title == "Em Ployee"
    history = shop.tenant.tables.platform.history
    with shop.tenant.begin() as connection:
        names = set(connection.execute(sa.select(history.c.by_name).where(history.c.by == guest.id)).scalars())
    assert names == {f"Erased {guest.id.hex[-8:]}"}


def test_what_is_about_others_too_is_left_and_told_beforehand(shop: Shop) -> None:
    one, other = shop.contact("Ann Able"), shop.contact("Bea Baker")
    address = {"street": "Both Street", "city": "Kiel"}
    shared = shop.rep.create("order", {"number": "O-9", "contact": one, "guests": [other], "ship_to": address})
    foreseen = plan(shop.officer, one)
    assert (foreseen.shared, foreseen.stays, foreseen.records) == ({"order": 1}, {}, {"contact": 1})
    erase(shop.officer, one)
    assert shop.system.read("order", shared.id)["ship_to"]["street"] == "Both Street"


def test_a_converted_lead_goes_with_the_contact_that_it_became(shop: Shop) -> None:
    lead = shop.rep.create("lead", {"name": "Lena Later", "email": "lena@later.example", "budget": 70})
    shop.system.convert("lead", lead.id)
    contact = shop.system.list("contact", columns=["name"], q="Lena").rows[0].id
    erase(shop.officer, contact)
    gone = shop.system.read("lead", lead.id)
    assert (gone.title, gone["email"], gone["budget"].amount) == (f"Erased {lead.id.hex[-8:]}", None, 70)
    assert "later" not in everything(shop).lower()


def test_who_only_shares_an_address_is_offered_and_not_taken(shop: Shop) -> None:
    one = shop.contact("Hans House", phone="+49 40 5550001", email=["hans@house.example", "house@house.example"])
    wife = shop.contact("Hilde House", phone="+49 40 5550001")
    gone = shop.rep.create("lead", {"name": "H. House", "email": "HOUSE@house.example"})
    shop.rep.delete("lead", gone.id)
    found = {c.ref.id: c for c in plan(shop.officer, one).person.candidates}
    assert set(found) == {wife, gone.id}
    assert (found[wife].shared, found[wife].in_bin, found[gone.id].in_bin) == (("phone",), False, True)
    erase(shop.officer, one, found[gone.id].ref)
    assert shop.system.read("contact", wife).title == "Hilde House"
    assert shop.system.read("lead", gone.id, deleted=True)["email"] is None


def test_a_stranger_is_not_erased_along(shop: Shop) -> None:
    one, stranger = shop.contact("Una One"), shop.contact("Sam Stranger")
    with pytest.raises(Missing):
        erase(shop.officer, one, Ref("contact", stranger))


def test_what_the_law_keeps_is_refused_with_its_reason(shop: Shop) -> None:
    id = shop.contact("Leo Legal")

    def decide(state: Any, on: bool, reason: str = "") -> None:
        with shop.officer.session.write():
            holding.decide(shop.officer.session, "contact", id, state, on, reason)

    with pytest.raises(Refused, match="Say why"):
        decide("hold", True, "  ")
    decide("hold", True, "Lawsuit 7 O 12/26")
    with pytest.raises(Refused) as refused:
        erase(shop.officer, id)
    assert "Lawsuit 7 O 12/26" in str(refused.value)
    shop.rep.delete("contact", id)
    with pytest.raises(Refused, match="The law keeps"):
        shop.rep.purge("contact", id)
    Store(shop.tenant, Principal.system(Reader())).purge_old(timedelta(0))
    assert shop.system.read("contact", id, deleted=True).title == "Leo Legal"
    shop.system.restore("contact", id)
    decide("hold", False)
    erase(shop.officer, id)


def test_what_the_law_keeps_is_kept_with_what_it_was_merged_into(shop: Shop) -> None:
    id, other = shop.contact("Hanna Held"), shop.contact("Hanna Hold")
    with shop.officer.session.write():
        holding.decide(shop.officer.session, "contact", other, "hold", True, "Lawsuit 8 O 1/26")
    shop.rep.merge("contact", id, [other])
    shop.rep.delete("contact", id)
    with pytest.raises(Refused, match="Lawsuit 8 O"):
        shop.rep.purge("contact", id)
    Store(shop.tenant, Principal.system(Reader())).purge_old(timedelta(0))
    assert shop.system.read("contact", id, deleted=True).title == "Hanna Held"
    shop.system.restore("contact", id)
    with shop.officer.session.write():
        assert holding.standing(shop.officer.session, "contact", id)["hold"].reason == "Lawsuit 8 O 1/26"
        holding.decide(shop.officer.session, "contact", id, "hold", False)
    erase(shop.officer, id)


def test_who_is_typed_in_again_is_erased_again(shop: Shop) -> None:
    id = shop.contact("Rudi Return", email=["rudi@return.example"])
    erase(shop.officer, id)
    shop.rep.update("contact", id, {"name": "Rudi Return", "email": ["rudi@return.example"]})
    erase(shop.officer, id)
    assert "rudi" not in everything(shop).lower()


def test_restricted_data_is_not_changed_until_the_restriction_ends(shop: Shop) -> None:
    id, other = shop.contact("Rita Restricted", visits=[{"remark": "old"}]), shop.contact("Otto Other")
    with shop.officer.session.write():
        holding.decide(shop.officer.session, "contact", id, "restricted", True, "The address is disputed")
    for attempt in (
        lambda: shop.rep.update("contact", id, {"city": "Ulm"}),
        lambda: shop.rep.delete("contact", id),
        lambda: shop.rep.merge("contact", other, [id]),
    ):
        with pytest.raises(Refused, match="restricted"):
            attempt()
    assert shop.rep.update("contact", other, {"city": "Ulm"})["city"] == "Ulm"
    with shop.officer.session.write():
        holding.decide(shop.officer.session, "contact", id, "restricted", False)
    assert shop.rep.update("contact", id, {"city": "Ulm"})["city"] == "Ulm"


def test_it_needs_the_right_and_a_person(shop: Shop) -> None:
    id = shop.contact("Nora Nobody")
    with pytest.raises(Forbidden):
        erase(shop.rep, id)
    order = shop.rep.create("order", {"number": "O-77", "contact": id})
    with pytest.raises(Missing), shop.officer.transaction():
        erasing.plan(shop.officer.session, "order", order.id)
    with pytest.raises(Missing):
        erase(shop.officer, UUID(int=9))


def test_undoing_many_changes_leaves_what_is_restricted_by_now(shop: Shop) -> None:
    id, other = shop.contact("Ulla Undone", city="Ulm"), shop.contact("Uwe Undone", city="Ulm")
    with shop.system.batch("edit", "contact") as batch:
        shop.system.update_many("contact", [(id, {"city": "Bonn"}), (other, {"city": "Bonn"})], means="bulk")
    with shop.officer.session.write():
        holding.decide(shop.officer.session, "contact", id, "restricted", True, "The address is disputed")
    told = {one.id: one.status for one in shop.system.undo(batch.id).rows}
    assert told == {id: "refused", other: "changed"}
    assert [shop.system.read("contact", one)["city"] for one in (id, other)] == ["Bonn", "Ulm"]


def test_what_is_restricted_stays_in_the_bin(shop: Shop) -> None:
    id = shop.contact("Bella Binned")
    shop.rep.delete("contact", id)
    with shop.officer.session.write():
        holding.mark(shop.officer.session, "contact", id, "restricted", "wants it kept for a lawsuit")
    with pytest.raises(Refused, match="restricted"):
        shop.rep.purge("contact", id)
    Store(shop.tenant, Principal.system(Reader())).purge_old(timedelta(0))
    assert shop.system.read("contact", id, deleted=True).title == "Bella Binned"


def test_lists_and_figures_leave_out_whose_data_is_restricted(shop: Shop) -> None:
    id = shop.contact("Lena Left-Out", city="Nowhere")
    where = ['city == "Nowhere"']

    def seen(store: Store) -> list[int]:
        return [
            len(store.list("contact", columns=["name"], where=where).rows),
            store.count("contact", where=where).n,
            sum(group.count for group in store.groups("contact", "city", where=where)),
            len(store.matching("contact", where=where)),
            len(store.pick("contact", "Lena Left")),
        ]

    assert seen(shop.rep) == [1] * 5
    with shop.officer.session.write():
        holding.decide(shop.officer.session, "contact", id, "restricted", True, "The address is disputed")
    assert seen(shop.rep) == [0] * 5
    assert seen(shop.officer) == [1] * 5
    assert shop.rep.read("contact", id).title == "Lena Left-Out"
    assert [choice.ref.id for choice in shop.rep.search("Left-Out")] == [id]
    with shop.officer.session.write():
        holding.decide(shop.officer.session, "contact", id, "restricted", False)
    assert seen(shop.rep) == [1] * 5
