"""Pools: what one may claim and has claimed, claiming and assigning, putting back, locking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Response, jsonify, make_response, redirect, request
from flask_appbuilder import expose
from flask_babel import gettext as _
from flask_babel import ngettext

from trellis.formula.types import Ref
from trellis.model.pool import Pool
from trellis.records.pools import claiming, standing
from trellis.records.pools.claiming import Outcome
from trellis.records.pools.place import Place, open_pools, place_of
from trellis.records.pools.usage import Person, Usage, people, size_of, usage_of
from trellis.records.reading import shown
from trellis.records.refusal import Forbidden, Missing, Refused
from trellis.records.store import Store, as_id
from trellis.web.context import current_store
from trellis.web.faults import refusal_text
from trellis.web.flashes import toast
from trellis.web.guard import signed_in
from trellis.web.lists.desk import open_desk
from trellis.web.lists.selection import BulkOutcome, read_selection
from trellis.web.navigation import entity_address
from trellis.web.pages.base import Page
from trellis.web.pages.bulk import answer
from trellis.web.pages.form import entity_or_404
from trellis.web.pages.saved_views import read_query

DAYS = (7, 30, 90)
RESULTS = {
    "claim": lambda n: ngettext("%(num)d record claimed: it is yours", "%(num)d records claimed: they are yours", n),
    "assign": lambda n: ngettext("%(num)d record assigned", "%(num)d records assigned", n),
    "return": lambda n: ngettext("%(num)d record put back into the pool", "%(num)d records put back into the pool", n),
}


@dataclass(frozen=True)
class Card:
    """One pool as its page shows it."""

    pool: Pool
    size: int
    usage: Usage | None
    people: Sequence[tuple[str, Person]]
    is_admin: bool
    address: str


class PoolsView(Page):
    """`/pools`, and what is done with the records of a pool."""

    @expose("/pools")  # type: ignore[untyped-decorator]
    @signed_in
    def index(self) -> Any:
        """Every pool that one may see: what lies in it, how much one may still claim, and who has done what."""
        store = current_store()
        pools = open_pools(store)
        days = request.args.get("days", type=int)
        span = days if days in DAYS else DAYS[1]
        with store.transaction():
            cards = [self._card(store, pool, span) for pool in pools]
        return self.draw("pools.html", cards=cards, days=DAYS, span=span)

    def _card(self, store: Store, pool: Pool, days: int) -> Card:
        session, me = store.session, store.principal.reader.me
        admin = standing.is_admin(session, pool)
        found = people(session, pool, session.reader.now - timedelta(days=days))
        if not admin:
            found = [one for one in found if me is not None and one.user == me.id]
        names = shown.titles(session, [Ref("user", one.user) for one in found])
        return Card(
            pool,
            size_of(session, pool),
            usage_of(session, pool, me.id) if me is not None else None,
            [(names.get(("user", one.user)) or _("Somebody who is gone"), one) for one in found],
            admin,
            entity_address(pool.entity, view=pool.key),
        )

    @expose("/pools/<key>/claim", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def claim(self, key: str) -> Any:
        """Takes what is selected, or one record, for oneself."""
        store = current_store()
        pool = _pool(store, key)
        if id := request.form.get("id"):
            [outcome] = claiming.claim(store, key, [as_id(id)])
            return _back(pool.entity, as_id(id), outcome, str(_("Claimed: it is yours now.")))
        desk = open_desk(pool.entity, read_query(request.form.get("state", "")))
        ids = read_selection(desk, request.form).each()[: claiming.MOST]
        return jsonify(_told("claim", claiming.claim(store, key, ids, means="page"), desk.language))

    @expose("/pools/<key>/assign", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def assign(self, key: str) -> Any:
        """The dialog that asks who gets what is selected, and giving it."""
        store = current_store()
        pool = _pool(store, key)
        with store.transaction():
            if not standing.is_admin(store.session, pool):
                raise Forbidden(pool.entity, "assign")
        one, given = request.values.get("id", ""), request.form.get("to", "")
        if request.method == "GET":
            return self.draw("_pool_assign.html", pool=pool, id=one, count=request.args.get("count", "1"), wrong="")
        if not given:
            html = self.draw("_pool_assign.html", pool=pool, id=one, count="1", wrong=_("Choose a person."))
            return make_response(html, 200 if one else 422)
        if one:
            [outcome] = claiming.assign(store, key, [as_id(one)], as_id(given))
            return _back(pool.entity, as_id(one), outcome, str(_("Assigned.")))
        desk = open_desk(pool.entity, read_query(request.form.get("state", "")))
        ids = read_selection(desk, request.form).each()[: claiming.MOST]
        return jsonify(_told("assign", claiming.assign(store, key, ids, as_id(given)), desk.language))

    @expose("/e/<entity>/<uuid:id>/pool/return", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def give_back(self, entity: str, id: UUID) -> Any:
        """The dialog that asks why, and putting a record back into its pool."""
        store, place = _record(entity, id)
        if place is None or not place.may_return:
            raise Forbidden(entity, "return")
        if request.method == "GET":
            return self.draw("_pool_return.html", pool=place.pool, entity=entity, id=id)
        [outcome] = claiming.give_back(store, entity, [id], request.form.get("reason", "").strip())
        if outcome.error is None and not _readable(store, entity, id):
            toast(RESULTS["return"](1))
            return _go(entity_address(entity))
        return _back(entity, id, outcome, RESULTS["return"](1))

    @expose("/e/<entity>/<uuid:id>/pool/lock", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def lock(self, entity: str, id: UUID) -> Any:
        """Keeps a record from going back, or lets go of it."""
        store, place = _record(entity, id)
        if place is None or not place.may_lock:
            raise Forbidden(entity, "lock")
        on = request.form.get("on") == "1"
        outcome = Outcome(id)
        try:
            claiming.lock(store, entity, id, on=on)
        except Refused as refused:
            outcome = Outcome(id, refused)
        said = _("Locked: it stays with its owner.") if on else _("Unlocked.")
        return _back(entity, id, outcome, str(said))


def _pool(store: Store, key: str) -> Pool:
    with store.transaction():
        return claiming.pool_of(store.session, key)


def _record(entity: str, id: UUID) -> tuple[Store, Place | None]:
    store = current_store()
    entity_or_404(store, entity)
    store.read(entity, id, fields=())
    return store, place_of(store, entity, id)


def _readable(store: Store, entity: str, id: UUID) -> bool:
    try:
        store.read(entity, id, fields=())
    except Missing:
        return False
    return True


def _why(outcome: Outcome) -> str:
    if isinstance(outcome.error, Refused):
        return refusal_text(outcome.error)
    return str(_("You are not allowed to do that.") if isinstance(outcome.error, Forbidden) else _("It is gone."))


def _back(entity: str, id: UUID, outcome: Outcome, said: str) -> Any:
    """To the record's page, with what came of it."""
    toast(said if outcome.done else _why(outcome), kind="success" if outcome.done else "error")
    return _go(entity_address(entity, id))


def _go(address: str) -> Any:
    if request.headers.get("HX-Request"):
        response = Response("")
        response.headers["HX-Redirect"] = address
        return response
    return redirect(address, 303)


def _told(act: str, outcomes: Sequence[Outcome], language: str) -> dict[str, object]:
    """What the list is told: how many were done, and why the others were not."""
    found = BulkOutcome([outcome.id for outcome in outcomes if outcome.done], {})
    for outcome in outcomes:
        if not outcome.done:
            found.refuse(_why(outcome))
    return answer(found, RESULTS[act](len(found.done)), language)
