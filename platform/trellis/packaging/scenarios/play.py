"""Playing one scenario: its people, what is there, what happens, what has to hold in the end."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from trellis.automation.clock import stopped_at
from trellis.formula.env import Env
from trellis.formula.types import Ref, Value
from trellis.identity.accounts import Account, give_login
from trellis.identity.automating import principal_by_id
from trellis.model.fields.base import Invalid
from trellis.packaging.provision import system_store
from trellis.packaging.scenarios import outside  # noqa: F401 - its actions are registered
from trellis.packaging.scenarios.acting import ACTS
from trellis.packaging.scenarios.expecting import LOOKS
from trellis.packaging.scenarios.findings import Failed, Finding, Played
from trellis.packaging.scenarios.working import Hands, Posted, Told
from trellis.records.graph import StoreGraph
from trellis.records.refusal import Forbidden, Missing, Refused
from trellis.records.store import Store

if TYPE_CHECKING:
    from trellis.model.scenario import Action, Actor, Scenario
    from trellis.packaging.scenarios.stage import Stage
    from trellis.storage.tenant import Tenant

PERSON, TEAM = "user", "team"
NOON = datetime(2026, 3, 2, 9, 0)  # a Monday: what a scenario without `now` begins with
NO_PASSWORD = "!"  # nobody signs in: it is only told whose hand it is
REFUSALS = (Refused, Forbidden, Missing, Invalid)


class Play:
    """A scenario at work."""

    def __init__(self, stage: Stage, scenario: Scenario) -> None:
        self.stage = stage
        self.scenario = scenario
        self.tenant: Tenant = stage.with_settings(scenario.settings)
        self.known: dict[str, Value] = {}
        self.user = ""
        self.means = "import"  # how `given` comes in: rules and `before` workflows see it, no other is set off
        self.letters: list[Posted] = []
        self.messages: list[Told] = []
        self.requests: list[dict[str, Any]] = []
        self.hands = Hands(self)
        self.findings: list[Finding] = []

    def run(self) -> None:
        """Play it. What is not as expected is in the findings."""
        try:
            self._cast()
            for action in self.scenario.given:
                self.act(action)
            self.hands.settle()
            self.user, self.means = "", "page"
            for action in self.scenario.when:
                self.act(action)
                self.hands.settle()
        except Failed as failed:
            self.findings.append(failed.finding)
            return
        for expectation in self.scenario.expect:
            try:
                LOOKS[expectation.kind](self, expectation)
            except Failed as failed:
                self.findings.append(failed.finding)
        self.findings += self.hands.broken({e.word for e in self.scenario.expect if e.kind == "run"})

    def act(self, action: Action) -> None:
        """Do one thing, or see it refused."""
        if action.verb not in ACTS:
            raise Failed(Finding(action.mark, f"{action.verb} is not played by this version"))
        try:
            result = ACTS[action.verb](self, action)
        except REFUSALS as refused:
            self._refused(action, refused)
            return
        if action.refused:
            raise Failed(Finding(action.mark, f"{action.verb} was not refused", _reason(action), "it was done"))
        if action.name:
            self.known[action.name] = result

    def _refused(self, action: Action, refused: Exception) -> None:
        said = [str(refused) or type(refused).__name__.lower()]
        if isinstance(refused, Refused):
            said += [fault.field or "" for fault in refused.faults]
        if isinstance(refused, Missing):
            said.append("missing")
        wanted = action.refused
        if not wanted:
            raise Failed(Finding(action.mark, f"{action.verb} was refused", "it is done", said[0]))
        if wanted is not True and not any(wanted.lower() in text.lower() for text in said if text):
            raise Failed(Finding(action.mark, f"{action.verb} was refused for another reason", wanted, said[0]))

    def store(self, user: str | None = None) -> Store:
        """The door for somebody of the scenario, as they are at this moment; without one, the system's."""
        key = self.user if user is None else user
        if not key:
            return system_store(self.tenant)
        ref = self.known[key]
        assert isinstance(ref, Ref)
        with self.tenant.begin() as connection:
            principal = principal_by_id(connection, self.tenant, ref.id)
        if principal is None:
            raise Failed(Finding(self.scenario.mark, f"{key} may not sign in"))
        return Store(self.tenant, principal)

    @contextmanager
    def reading(self) -> Iterator[tuple[Store, Env]]:
        """What formulas of the scenario are read with: the system's eyes, and everything that has a name."""
        store = system_store(self.tenant)
        with store.transaction():
            yield store, Env(None, store.session.reader, StoreGraph(store.session), variables=dict(self.known))

    def rows(self, statement: sa.Select[Any]) -> Sequence[Any]:
        """Rows of the platform's own tables."""
        with self.tenant.begin() as connection:
            return connection.execute(statement).mappings().all()

    def _cast(self) -> None:
        actors = self.scenario.actors
        if not actors:
            return
        store = system_store(self.tenant)
        teams: dict[str, Value] = {}
        with store.transaction() as connection:
            for actor in _managers_first(actors.values()):
                if actor.team and actor.team not in teams:
                    teams[actor.team] = store.create(TEAM, {"name": actor.team}, means="system").ref
                values = {
                    "name": actor.name,
                    "email": actor.email,
                    "roles": list(actor.roles),
                    "team": teams.get(actor.team),
                    "manager": self.known.get(actor.manager),
                    "language": actor.language or None,
                    "time_zone": actor.time_zone or None,
                }
                given = {key: value for key, value in values.items() if value is not None}
                made = store.create(PERSON, given, means="system").ref
                give_login(connection, self.tenant, Account(made.id, actor.name, actor.email, None), NO_PASSWORD)
                self.known[actor.key] = made


def _managers_first(actors: Any) -> list[Actor]:
    found: dict[str, Actor] = {}
    waiting = list(actors)
    while waiting:
        ready = [one for one in waiting if not one.manager or one.manager in found] or waiting[:1]
        found |= {one.key: one for one in ready}
        waiting = [one for one in waiting if one.key not in found]
    return list(found.values())


def _reason(action: Action) -> str:
    return "a refusal" if action.refused is True else f"a refusal that says {action.refused}"


def play(stage: Stage, scenario: Scenario) -> Played:
    """Play a scenario on a stage, which is made clean first."""
    begun = time.perf_counter()
    stage.clean()
    with stopped_at(_beginning(scenario, stage.tenant.profile.time_zone)):
        playing = Play(stage, scenario)
        playing.run()
    return Played(scenario, time.perf_counter() - begun, tuple(playing.findings))


def _beginning(scenario: Scenario, zone: str) -> datetime:
    moment = datetime.fromisoformat(scenario.now) if scenario.now else NOON
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(zone))
    return moment.astimezone(UTC)
