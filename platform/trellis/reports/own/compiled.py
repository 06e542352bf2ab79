"""Reports that people have built, compiled for whoever asks, and variants without what is kept from them."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING

from trellis.model.reports.report import Report
from trellis.model.text import Text
from trellis.records.reading.filtering import compile_all
from trellis.records.refusal import Refused
from trellis.reports.own.rows import Saved, id_of, saved_by, saved_of
from trellis.reports.seen import is_seen, may_run
from trellis.reports.unions import keeps_back, texts_of

if TYPE_CHECKING:
    from trellis.model.compile.reports.bench import Built
    from trellis.records.store import Store

KEPT = 1000
_kept: OrderedDict[tuple[str, str, str], Built] = OrderedDict()
_guard = Lock()


def compiled(store: Store, saved: Saved) -> Built:
    """What a saved report's document compiles to under the tenant's configuration."""
    bench = store.tenant.model.bench
    assert bench is not None
    mark = (store.tenant.model.hash, saved.key, saved.stamp)
    with _guard:
        if mark in _kept:
            _kept.move_to_end(mark)
            return _kept[mark]
    built = bench.compile(saved.yaml, saved.key)
    if built.report is not None:
        built = replace(built, report=replace(built.report, label=Text(saved.label)))
    with _guard:
        _kept[mark] = built
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    return built


def own_report(store: Store, key: str, place: str | None = None) -> Report | None:
    """A report that somebody has built, for one who finds it and may run it."""
    saved = saved_by(store, id_of(key))
    if saved is None or saved.base is not None:
        return None
    report = compiled(store, saved).report
    return report if report is not None and may_run(store, report, place) else None


def own_reports(store: Store, place: str | None = None) -> list[tuple[Saved, Report]]:
    """Those that this person finds and may run; their own first."""
    pairs = [(saved, compiled(store, saved).report) for saved in saved_of(store)]
    return [(saved, report) for saved, report in pairs if report is not None and may_run(store, report, place)]


def variants_of(store: Store, report: Report) -> list[Saved]:
    """The variants of a report that this person finds, without what is kept from them."""
    return [kept for saved in saved_of(store, report.key) if (kept := without_hidden(store, report, saved))]


def without_hidden(store: Store, report: Report, saved: Saved) -> Saved | None:
    """A variant as this person may know it; None where its filter asks for what they may not see."""
    names = {k.key for k in (*report.groups, *report.across)}
    parts = [(m.key, m.formula) for m in report.measures] + [(c.key, c.formula) for c in report.columns]
    names |= {key for key, formula in parts if not keeps_back(store, report, formula)}
    known = store.tenant.model.entities[report.entity].fields if not report.union else ()
    names |= {key for key in known if not store.session.permit.conceals(report.entity, key)}
    kept: list[tuple[str, str]] = []
    for name, value in saved.parts:
        if name == "filter":
            try:
                for entity, text in texts_of(store, report, value):
                    compile_all(store.session, entity, (text,))
            except Refused:
                return None
        elif name in ("sort", "cols"):
            value = ",".join(part for part in value.split(",") if part.removeprefix("-") in names)
        elif name != "chart" and name not in report.params:
            continue
        if value or name in report.params:
            kept.append((name, value))
    return replace(saved, definition={"parts": kept})


def is_whole(store: Store, report: Report) -> bool:
    """Whether nothing of a report is kept from this person, so that its document may be shown to them."""
    return is_seen(store, report)
