"""People's numbers with those of everybody who reports to them, and what managers add to them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from uuid import UUID

from trellis.formula.types import Money, Ref, Value
from trellis.model.reports.keys import Key, quoted
from trellis.records.reading.gather import Bundle, Question
from trellis.reports import conditions
from trellis.reports.counted import condition
from trellis.reports.levels import Path, by_parent
from trellis.reports.result import Behind, Line
from trellis.reports.seen import hides

if TYPE_CHECKING:
    from trellis.records.store import Store
    from trellis.reports.asking import Asking

USER, MANAGER = "user", "manager"
Told = Callable[[Path], Sequence[Value]]
Others = Callable[[Path, UUID | None], Mapping[str, Behind]]
TEAM = "team"  # the filter for the records of a manager and everybody below
FEW = 20  # people whose ids a filter may list


def may_adjust(asking: Asking) -> bool:
    """Whether managers add something to the numbers, and this person may know of it."""
    spec = asking.report.spec.adjust
    if spec is None:
        return False
    formulas = [*(k.formula for k in spec.keys), spec.value]
    return asking.store.session.permit.may("read", spec.entity) and not hides(asking.store, spec.entity, formulas)


def adjustments(asking: Asking, groups: Sequence[Key]) -> dict[Path, Value] | None:
    """What managers have added, by the groups; None where there is none such, or it is not for this person."""
    spec = asking.report.spec.adjust
    if not may_adjust(asking):
        return None
    where = conditions.where(asking.store, asking.report, spec.filter, asking.chosen, spec.entity)
    sets = tuple(tuple(range(n)) for n in range(len(groups), -1, -1))
    question = Question(spec.entity, where, spec.keys, (spec.value,), sets, asking.chosen.variables)
    return {tuple(b.keys[: len(b.made_of)]): b.values[0] for b in asking.store.gather(question)}


def managers(store: Store) -> dict[UUID, UUID]:
    """Who reports to whom, as far as this person may know."""
    field = store.tenant.model.entities[USER].fields.get(MANAGER)
    if field is None or store.session.permit.conceals(USER, MANAGER):
        return {}
    found: dict[UUID, UUID] = {}
    cursor: str | None = None
    while True:
        page = store.list(USER, columns=(MANAGER,), limit=1000, cursor=cursor)
        found |= {row.id: row[MANAGER].id for row in page.rows if row[MANAGER] is not None}
        cursor = page.next
        if cursor is None:
            return without_circles(found)


def team_of(store: Store, top: UUID) -> list[UUID]:
    """Somebody with everybody who reports to them."""
    inner: dict[UUID, list[UUID]] = defaultdict(list)
    for id, over in managers(store).items():
        inner[over].append(id)
    found = [top]
    for id in found:
        found += inner[id]
    return found


def rolled_up(asking: Asking, bundles: Sequence[Bundle], told: Told, others: Others) -> Iterator[Line]:
    """Lines like those of groups, but people stand below their managers, whose numbers hold theirs.

    `others`: the numbers of a line that are of other records; of a manager with everybody below, whose line it is.
    """
    keys = asking.report.groups
    below, above = by_parent(bundles, len(keys)), managers(asking.store)
    last = len(keys) - 1
    width = len(keys)

    def lines(path: Path) -> Iterator[Line]:
        at = len(path)
        if at == last:
            yield from people(path)
            return
        for bundle in asking.ordered(below[path] if at else asking.filled(below[path], at, keys), at, keys):
            inner = (*path, bundle.keys[at])
            blank = (None,) * (width - at - 1)
            yield Line(
                (*inner, *blank, *told(inner)), "subtotal", at, _conditions(asking, inner), behind=others(inner, None)
            )
            yield from lines(inner)

    def people(path: Path) -> Iterator[Line]:
        own = {b.keys[last]: told((*path, b.keys[last])) for b in below[path]}
        ids = {person.id: person for person in own if isinstance(person, Ref)}
        inner: dict[UUID, list[UUID]] = defaultdict(list)
        tops: list[UUID] = []
        for id in ids:
            line = [id]
            while (over := above.get(line[-1])) is not None and over not in line:
                line.append(over)
            for child, over in pairwise(line):
                if child not in inner[over]:
                    inner[over].append(child)
            if line[-1] not in tops:
                tops.append(line[-1])

        def everybody(id: UUID) -> list[UUID]:
            return [id, *(one for child in inner[id] for one in everybody(child))]

        def person(id: UUID, deep: int) -> Iterator[Line]:
            name = ids.get(id) or named(asking.store, id)
            team = everybody(id)
            mine = own.get(ids[id]) if id in ids else None
            alone = (*path, name)
            if not inner[id]:
                at_own = (_conditions(asking, alone), None, others(alone, None), last)
                yield Line((*alone, *(mine or ())), "line", deep, *at_own)
                return
            values = together(asking, [own[ids[one]] for one in team if one in ids])
            some = ", ".join(quoted(str(one)) for one in team)
            who = f"{keys[last].formula.source.strip()}.id in ({some})"
            if len(team) > FEW:
                who = condition(asking, f"{TEAM} {id}")
            yield Line(
                (*alone, *values), "subtotal", deep, (*_conditions(asking, path), who), None, others(alone, id), last
            )
            if mine is not None:
                yield Line(
                    (*alone, *mine), "line", deep + 1, _conditions(asking, alone), None, others(alone, None), last
                )
            for child in sorted(inner[id], key=lambda one: _title(ids.get(one) or named(asking.store, one))):
                yield from person(child, deep + 1)

        for id in sorted(tops, key=lambda one: _title(ids.get(one) or named(asking.store, one))):
            yield from person(id, last)
        if None in own:
            nobody = (*path, None)
            yield Line(
                (*nobody, *own[None]), "line", last, _conditions(asking, nobody), None, others(nobody, None), last
            )

    return lines(())


def together(asking: Asking, rows: Sequence[Sequence[Value]]) -> list[Value]:
    """Numbers of several people added up, column by column."""
    found: list[Value] = []
    for column in zip(*rows, strict=True):
        values: list[Any] = [v for v in column if v is not None]
        if not values:
            found.append(None)
        elif isinstance(values[0], Money):
            whole = sum(v.base if v.base is not None else v.amount for v in values)
            found.append(Money(whole, asking.reader.currency, whole))
        else:
            found.append(sum(values, timedelta() if isinstance(values[0], timedelta) else 0))
    return found


def _conditions(asking: Asking, path: Path) -> tuple[str, ...]:
    return tuple(k.condition(v, asking.reader) for k, v in zip(asking.report.groups, path, strict=False))


def named(store: Store, id: UUID) -> Ref:
    """Somebody who has no number of their own."""
    from trellis.records.refusal import Forbidden, Missing

    try:
        return Ref(USER, id, store.read(USER, id, fields=()).title)
    except (Missing, Forbidden):
        return Ref(USER, id)


def _title(person: Ref) -> str:
    return (person.title or "").casefold()


def without_circles(above: Mapping[UUID, UUID]) -> dict[UUID, UUID]:
    """The same where nobody reports to themselves: of a circle, one step is left out."""
    found: dict[UUID, UUID] = {}
    for id, over in above.items():
        at: UUID | None = over
        while at is not None and at != id:
            at = found.get(at)
        if at is None:
            found[id] = over
    return found
