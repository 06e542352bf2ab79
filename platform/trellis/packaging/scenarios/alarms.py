"""Schedules, dates and stages in a scenario: when one of them strikes next, without looking every five minutes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from trellis.automation.beats import BEATS, Beat
from trellis.automation.clock import now
from trellis.automation.clocks import CLOCKS, Clock, Strike, latest
from trellis.automation.workflows.acting import system_of
from trellis.automation.workflows.due import due_records
from trellis.automation.workflows.timing import Timer, come_due, timers
from trellis.model.automation.triggers import OnDate, OnSchedule
from trellis.records.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trellis.packaging.scenarios.play import Play

# a clock that was missed strikes once, for its latest moment: that is looked for backwards
BACK = (timedelta(hours=1), timedelta(days=2), timedelta(days=3660))
HOUSEKEEPING = frozenset({"identity.tidy", "privacy.access-log", "audit.head", "webhooks.purge"})
BEAT = timedelta(hours=6)  # how often pools and scores look at most: every five minutes would take too long
STEP = {"often": timedelta(minutes=5), "hourly": timedelta(hours=1)}


class Alarms:
    """The timers of a scenario's workflows, and the platform's own clocks."""

    def __init__(self, play: Play) -> None:
        self.play = play
        self.zone = ZoneInfo(play.tenant.profile.time_zone)
        begun = now()
        self.looked = {timer.key: (timer, begun) for timer in timers(play.tenant.model)}
        self.finds: dict[str, datetime] = {}  # when each of them finds something, as it was asked last
        self.beats = self._beats()
        self.beaten = begun
        self.step = BEAT
        self.asked: tuple[tuple[int, datetime], datetime | None] | None = None  # as long as nothing has changed
        self.struck = {name: (clock, begun) for name, clock in CLOCKS.items() if name not in HOUSEKEEPING}

    def next(self, until: datetime) -> datetime | None:
        """When the next of them finds something, up to a moment."""
        beat = self._beat()
        key = (self.play.hands.changes, until)
        if self.asked is None or self.asked[0] != key:
            self.asked = (key, self._ask(until))
        found = self.asked[1]
        return beat if beat is not None and beat <= until and (found is None or beat < found) else found

    def _ask(self, until: datetime) -> datetime | None:
        self.finds.clear()
        waiting = [entry for entry in self.looked.values() if self._first(entry[0], entry[1]) <= until]
        filled = self._filled({t.trigger.entity for t, _ in waiting if t.trigger.entity is not None})
        found: datetime | None = None
        for timer, after in waiting:
            if timer.trigger.entity is not None and timer.trigger.entity not in filled:
                continue
            moment = self._finds(timer, after, found or until)
            if moment is not None:
                self.finds[timer.key] = moment
                found = moment if found is None else min(found, moment)
        return found

    def _beat(self) -> datetime | None:
        """When pools and scores look again; never, while there is nothing for them to look at."""
        if not self.beats:
            return None
        model = self.play.tenant.model
        entities = {pool.entity for pool in model.pools.values()} | {one.entity for one in model.scorings.values()}
        return self.beaten + self.step if self._filled(entities) else None

    def strike(self, moment: datetime) -> None:
        """Let those whose moment it is strike; the others have looked as well, and found nothing."""
        for key, (timer, after) in list(self.looked.items()):
            last = self._last(timer, after, moment)
            if last is None:
                continue
            if self.finds.get(key) == moment:
                with self.play.tenant.begin() as connection:
                    come_due(connection, self.play.tenant, timer, after, last)
            self.looked[key] = (timer, last)
        if moment in self.finds.values():
            self.asked = None
        if moment >= self.beaten + self.step:
            self._look_again(moment)

    def _look_again(self, moment: datetime) -> None:
        """Let the platform's own clocks strike, and pools and scores look."""
        self.beaten = moment
        self._clocks(moment)
        with self.play.tenant.begin() as connection:
            for beat in self.beats:
                beat.now(connection, self.play.tenant)

    def begin(self, until: datetime) -> None:
        """A stretch of time begins: what looks again and again does so four times in it, or every six hours."""
        self.asked = None
        self.step, self.beaten = max(BEAT, (until - now()) / 4), now()

    def passed(self, moment: datetime) -> None:
        """Time has passed without anything to find."""
        for key, (timer, after) in list(self.looked.items()):
            last = self._last(timer, after, moment)
            if last is not None:
                self.looked[key] = (timer, last)
        self._look_again(moment)

    def _beats(self) -> list[Beat]:
        """The tenant's clocks that are no workflow's, such as that of its pools."""
        table = self.play.tenant.tables.platform.timer
        keys = {row["key"] for row in self.play.rows(sa.select(table.c.key))}
        return [beat for beat in BEATS.values() if beat.timer in keys]

    def _clocks(self, moment: datetime) -> None:
        for name, (clock, after) in list(self.struck.items()):
            due = next((d for back in BACK if (d := latest(clock, max(after, moment - back), moment))), None)
            if due is not None:
                self.struck[name] = (clock, due)
                self._ring(clock, due)

    def _ring(self, clock: Clock, due: datetime) -> None:
        catalogue = self.play.stage.catalogue
        entry = catalogue.entry(self.play.tenant.slug)
        with catalogue.database.engine.begin() as connection:
            clock.strike(_Alone(due, catalogue, connection, entry))

    def _finds(self, timer: Timer, after: datetime, until: datetime) -> datetime | None:
        """The first moment at which a timer looks and something is due, by what is there now."""
        if isinstance(timer.trigger, OnSchedule):
            return self._first(timer, after)
        times = Times(timer, after, self.zone)
        low, high = 0, times.count(until)
        if high == 0 or not self._due(timer, after, times.at(high - 1)):
            return None
        high -= 1
        while low < high:  # the first of the moments by which something has come due
            middle = (low + high) // 2
            if self._due(timer, after, times.at(middle)):
                high = middle
            else:
                low = middle + 1
        return times.at(low)

    def _due(self, timer: Timer, after: datetime, until: datetime) -> bool:
        trigger = timer.trigger
        if isinstance(trigger, OnDate):
            trigger = replace(trigger, filter=None)  # it is read at its moment, when there is something to read
        tenant = self.play.tenant
        with tenant.begin() as connection, Session(tenant, system_of(tenant)).within(connection) as session:
            return bool(due_records(session, trigger, after, until))

    def _filled(self, entities: set[str]) -> set[str]:
        """Those of the entities that have records at all."""
        if not entities:
            return set()
        tables = self.play.tenant.tables.entity
        parts = [sa.select(sa.literal(key)).where(sa.exists(sa.select(tables[key].c.id))) for key in sorted(entities)]
        with self.play.tenant.begin() as connection:
            return set(connection.execute(sa.union_all(*parts)).scalars())

    def _first(self, timer: Timer, after: datetime) -> datetime:
        if isinstance(timer.trigger, OnSchedule):
            return timer.next_after(after, self.zone)
        return Times(timer, after, self.zone).at(0)

    def _last(self, timer: Timer, after: datetime, until: datetime) -> datetime | None:
        """The last moment at which a timer looks, after the one and up to the other."""
        if isinstance(timer.trigger, OnSchedule):
            found = None
            moment = timer.next_after(after, self.zone)
            while moment <= until:
                found, moment = moment, timer.next_after(moment, self.zone)
            return found
        times = Times(timer, after, self.zone)
        count = times.count(until)
        return times.at(count - 1) if count else None


class Times:
    """The moments at which a timer of dates or stages looks, counted from the first after a moment."""

    def __init__(self, timer: Timer, after: datetime, zone: ZoneInfo) -> None:
        self.zone = zone
        at = timer.trigger.at if isinstance(timer.trigger, OnDate) else None
        self.daily: time | None = at
        self.first = timer.next_after(after, zone)
        self.step = STEP["often"] if isinstance(timer.trigger, OnDate) else STEP["hourly"]

    def at(self, index: int) -> datetime:
        """The moment of a number."""
        if self.daily is None:
            return self.first + index * self.step
        day = self.first.astimezone(self.zone).date() + timedelta(days=index)
        return datetime.combine(day, self.daily, self.zone).astimezone(self.first.tzinfo)

    def count(self, until: datetime) -> int:
        """How many there are up to a moment."""
        if until < self.first:
            return 0
        if self.daily is None:
            return (until - self.first) // self.step + 1
        days = (until.astimezone(self.zone).date() - self.first.astimezone(self.zone).date()).days
        return days + 1 if self.at(days) <= until else days


class _Alone(Strike):
    """A stroke that only one tenant hears."""

    def __init__(self, at: datetime, catalogue: object, connection: object, entry: object) -> None:
        super().__init__(at, catalogue, connection)  # type: ignore[arg-type]
        object.__setattr__(self, "_entry", entry)

    def tenants(self) -> Iterator[object]:  # type: ignore[override]
        """The scenario's."""
        yield self._entry  # type: ignore[attr-defined]
