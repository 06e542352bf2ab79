"""What scenarios look at in the end: one function for each kind of expectation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from trellis.automation.workflows.context import refs_of
from trellis.automation.workflows.finding import Bound
from trellis.formula.env import Env
from trellis.formula.types import Ref
from trellis.model.automation.sequence import PREFIX
from trellis.packaging.scenarios.comparing import same, written
from trellis.packaging.scenarios.findings import Failed, Finding
from trellis.packaging.scenarios.numbers import number_in
from trellis.records.graph import StoreGraph
from trellis.records.refusal import Missing
from trellis.reports.run import report_of, run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trellis.model.scenario import Expectation
    from trellis.packaging.scenarios.play import Play
    from trellis.records.store import Store

Look = Callable[["Play", "Expectation"], None]
LOOKS: dict[str, Look] = {}


def look(kind: str) -> Callable[[Look], Look]:
    """Register how a kind of expectation is looked at. It raises Failed when it does not hold."""

    def register(done: Look) -> Look:
        LOOKS[kind] = done
        return done

    return register


def _fail(expectation: Expectation, text: str, expected: Any, found: Any) -> Failed:
    return Failed(Finding(expectation.mark, text, written(expected), written(found)))


@look("record")
def _record(play: Play, expectation: Expectation) -> None:
    assert expectation.target is not None
    with play.reading() as (store, env):
        ref = next(refs_of(expectation.target.evaluate(env)), None)
        alive = ref is not None and _is_there(store, ref)
    name = expectation.target.source
    exists = expectation.flags.get("exists")
    if exists is not None and exists != alive:
        raise _fail(expectation, f"the record {name}", "it exists" if exists else "it does not", alive)
    if exists is False:
        return
    if ref is None:
        raise _fail(expectation, f"the record {name}", "a record", None)
    if expectation.user:
        _as_user(play, expectation, ref)
    if expectation.values and not expectation.user:
        _values(play, expectation, ref)


def _is_there(store: Store, ref: Ref) -> bool:
    try:
        store.read(ref.entity, ref.id, fields=())
    except Missing:
        return False
    return True


def _values(play: Play, expectation: Expectation, ref: Ref) -> None:
    with play.reading() as (store, env):
        graph = StoreGraph(store.session)
        record = graph.follow(ref)
        if record is None:
            raise _fail(expectation, "the record is gone", ref, None)
        own = Env(record, store.session.reader, graph, old=record, variables={**env.variables, "record": record})
        for key, expected in expectation.values.items():
            wanted, found = expected.value.evaluate(env), expected.formula.evaluate(own)
            found = _titled(graph, found)
            if not same(wanted, found, store.session.reader.time_zone):
                raise Failed(Finding(expected.mark, key, written(wanted), written(found)))


def _titled(graph: StoreGraph, value: Any) -> Any:
    if isinstance(value, Ref) and value.title is None:
        return Ref(value.entity, value.id, graph.title(value))
    return value


def _as_user(play: Play, expectation: Expectation, ref: Ref) -> None:
    """What somebody sees of a record."""
    store, who = play.store(expectation.user), expectation.user
    visible = expectation.flags.get("visible", not expectation.flags.get("hidden", False))
    try:
        record = store.read(ref.entity, ref.id)
    except Missing:
        if visible:
            raise _fail(expectation, f"{ref.title} as {who}", "visible", "not visible") from None
        return
    if not visible:
        raise _fail(expectation, f"{ref.title} as {who}", "not visible", "visible")
    modes = store.session.permit.modes(ref.entity)
    writable = set(store.writable_fields(ref.entity))
    for field in expectation.fields.get("hidden", ()):
        if field in record:
            raise _fail(expectation, f"{field} as {who}", "hidden", record[field])
    for field in expectation.fields.get("masked", ()):
        if modes.get(field) != "masked":
            raise _fail(expectation, f"{field} as {who}", "masked", record.get(field))
    for field in expectation.fields.get("readonly", ()):
        if field in writable:
            raise _fail(expectation, f"{field} as {who}", "readonly", "it may be changed")
    with play.reading() as (system, env):
        wanted = {key: one.value.evaluate(env) for key, one in expectation.values.items()}
        zone = system.session.reader.time_zone
    for key, value in wanted.items():
        found = record.get(key)
        if not same(value, found, zone):
            raise Failed(Finding(expectation.values[key].mark, f"{key} as {who}", written(value), written(found)))


@look("count")
def _count(play: Play, expectation: Expectation) -> None:
    with play.reading() as (system, env):
        where = [Bound(expectation.where, env)] if expectation.where is not None else []
        if not expectation.user:
            found = _counted(system, expectation.word, where)
        else:
            store = play.store(expectation.user)
            with store.transaction():
                found = _counted(store, expectation.word, where)
    if found != (expectation.times or 0):
        source = f" where {expectation.where.source}" if expectation.where is not None else ""
        raise _fail(expectation, f"how many of {expectation.word}{source}", expectation.times, found)


def _counted(store: Store, entity: str, where: Sequence[Any]) -> int:
    return store.count(entity, where=where).n


def _texts(play: Play, expectation: Expectation) -> dict[str, Any]:
    with play.reading() as (_store, env):
        return {key: given.evaluate(env) for key, given in expectation.said.items()}


def _often(expectation: Expectation, found: int) -> bool:
    return found == expectation.times if expectation.times is not None else found > 0


@look("mail")
def _mail(play: Play, expectation: Expectation) -> None:
    said = _texts(play, expectation)
    with play.reading() as (store, _env):
        to = _address(store, said.get("to"))
    letters = [
        one
        for one in play.letters
        if (not to or to.lower() == one.to.lower())
        and _within(said.get("subject"), one.letter.subject)
        and _within(said.get("text"), f"{one.letter.body}{one.letter.html_body}{' '.join(one.letter.paragraphs)}")
    ]
    if not _often(expectation, len(letters)):
        found = [f"to {one.to}: {one.letter.subject}" for one in play.letters]
        wanted = ", ".join(f"{key} {written(value)}" for key, value in said.items())
        raise _fail(expectation, f"mail {wanted}", _times(expectation), found or "no mail")


def _address(store: Store, value: Any) -> str:
    refs = list(refs_of(value))
    if not refs:
        return str(value or "")
    record = StoreGraph(store.session).follow(refs[0])
    return str(record.get("email") or "") if record is not None else ""


def _within(part: Any, text: str) -> bool:
    return part is None or str(part).lower() in text.lower()


def _times(expectation: Expectation) -> str:
    times = expectation.times
    return "at least one" if times is None else "none" if times == 0 else f"{times}"


@look("sms")
@look("chat")
def _message(play: Play, expectation: Expectation) -> None:
    said = _texts(play, expectation)
    with play.reading() as (store, _env):
        to = number_in(store, said.get("to"))
    sent = [one for one in play.messages if one.channel == expectation.kind]
    found = [one for one in sent if (not to or to == one.to) and _within(said.get("text"), one.text)]
    if not _often(expectation, len(found)):
        wanted = ", ".join(f"{key} {written(value)}" for key, value in said.items())
        told = [f"to {one.to}: {one.text}" for one in sent]
        raise _fail(expectation, f"{expectation.kind} {wanted}", _times(expectation), told or "none")


@look("document")
def _document(play: Play, expectation: Expectation) -> None:
    document, name = play.tenant.model.documents[expectation.word], _texts(play, expectation).get("name")
    assert expectation.target is not None
    with play.reading() as (store, env):
        ref = next(refs_of(expectation.target.evaluate(env)), None)
        held = store.read(ref.entity, ref.id, fields=[document.into])[document.into] if ref and document.into else ()
    papers = [str(file["name"]) for file in held or () if file["type"] == "application/pdf"]
    if not _often(expectation, sum(_within(name, one) for one in papers)):
        what = f"papers of {expectation.word} in {document.into}" + (f" called {name}" if name else "")
        raise _fail(expectation, what, _times(expectation), papers or "none")


@look("enrolled")
def _enrolled(play: Play, expectation: Expectation) -> None:
    """How a record stands with a sequence; without `of`, how all of them do."""
    table = play.tenant.tables.platform.run
    mine = [table.c.workflow == f"{PREFIX}{expectation.word}"]
    if expectation.target is not None:
        with play.reading() as (_store, env):
            ref = next(refs_of(expectation.target.evaluate(env)), None)
        mine.append(table.c.record == (ref.id if ref is not None else None))
    rows = play.rows(sa.select(table.c.state).where(*mine).order_by(table.c.id))
    states = [row["state"] for row in rows]
    found = [state for state in states if not expectation.state or state == expectation.state]
    if not _often(expectation, len(found)):
        what = f"records in {expectation.word}" + (f" that are {expectation.state}" if expectation.state else "")
        raise _fail(expectation, what, _times(expectation), states or "none")


@look("notified")
def _notified(play: Play, expectation: Expectation) -> None:
    table = play.tenant.tables.platform.notice
    user = play.known[expectation.word]
    assert isinstance(user, Ref)
    text = _texts(play, expectation).get("text")
    rows = play.rows(sa.select(table.c.text).where(table.c.user == user.id).order_by(table.c.id))
    found = [row["text"] for row in rows]
    if not _often(expectation, sum(_within(text, one) for one in found)):
        what = f"notices of {expectation.word}" + (f" that say {text}" if text else "")
        raise _fail(expectation, what, _times(expectation), found or "none")


@look("run")
def _run(play: Play, expectation: Expectation) -> None:
    table = play.tenant.tables.platform.run
    rows = play.rows(sa.select(table.c.state).where(table.c.workflow == expectation.word).order_by(table.c.id))
    states = [row["state"] for row in rows]
    found = [state for state in states if not expectation.state or state == expectation.state]
    if not _often(expectation, len(found)):
        what = f"runs of {expectation.word}" + (f" that are {expectation.state}" if expectation.state else "")
        raise _fail(expectation, what, _times(expectation), states or "none")


@look("log")
def _log(play: Play, expectation: Expectation) -> None:
    table = play.tenant.tables.platform.run_step
    text = _texts(play, expectation).get("text")
    rows = play.rows(sa.select(table.c.detail).where(table.c.verb.in_(("log", "stop"))).order_by(table.c.id))
    found = [str((row["detail"] or {}).get("text", "")) for row in rows]
    if not _often(expectation, sum(_within(text, one) for one in found)):
        raise _fail(expectation, f"lines of the log that say {text}", _times(expectation), found or "none")


@look("report")
def _report(play: Play, expectation: Expectation) -> None:
    store = play.store(expectation.user)
    with play.reading() as (system, env):
        given = {key: _param(value.evaluate(env)) for key, value in expectation.params.items()}
        rows = None if expectation.rows is None else [row.evaluate(env) for row in expectation.rows]
        totals = {key: value.evaluate(env) for key, value in expectation.said.items()}
        zone = system.session.reader.time_zone
    answer = run(store, report_of(store, expectation.word), given)
    keys = [heading.key for heading in answer.headings]
    lines = [dict(zip(keys, line.values, strict=False)) for line in answer.lines if line.kind == "line"]
    if rows is not None and not _same_rows(rows, lines, zone):
        raise _fail(expectation, f"the lines of {expectation.word}", rows, lines)
    total = dict(zip(keys, answer.total.values, strict=False)) if answer.total is not None else {}
    for key, value in totals.items():
        if not same(value, total.get(key), zone):
            raise _fail(expectation, f"the total {key} of {expectation.word}", value, total.get(key))


def _same_rows(rows: Sequence[Any], lines: Sequence[Mapping[str, Any]], zone: ZoneInfo) -> bool:
    """Whether the lines are those that are expected, as far as these say something of them, in their order."""
    if len(rows) != len(lines):
        return False
    pairs = zip(rows, lines, strict=True)
    return all(same(value, line.get(key), zone) for row, line in pairs for key, value in _named(row, line).items())


def _named(row: Any, line: Mapping[str, Any]) -> Mapping[str, Any]:
    return row if isinstance(row, dict) else dict(zip(line, row if isinstance(row, list) else [row], strict=False))


def _param(value: Any) -> str:
    if isinstance(value, Ref):
        return str(value.id)
    return "" if value is None else value.isoformat() if isinstance(value, date) else str(value)
