"""Compiles reports that people build, by the code and over the drafts of the configuration's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING, Any

from trellis.config.layer import Document
from trellis.config.problem import Problem
from trellis.config.reader import read_yaml
from trellis.model.compile.context import Context
from trellis.model.compile.dashboards import compile_dashboard
from trellis.model.compile.drafts import FieldDraft
from trellis.model.compile.item import Item
from trellis.model.compile.reports import compile_report
from trellis.model.compile.shapes import check_document
from trellis.model.compile.types import Types

if TYPE_CHECKING:
    from trellis.config.stack import Configuration
    from trellis.formula.types import Type
    from trellis.model.dashboards.dashboard import Dashboard
    from trellis.model.entity import Entity
    from trellis.model.reports.report import Report

FILE = "report.yaml"
Hides = Callable[[str, str], bool]


@dataclass(frozen=True)
class Built:
    """What a report's text compiles to; None with what is wrong with it."""

    report: Report | None
    problems: tuple[Problem, ...] = ()


class Bench:
    """A configuration's names and types, kept to compile single reports with; made when the first one is asked for."""

    def __init__(self, configuration: Configuration, prepare: Callable[[Context], object]) -> None:
        self._configuration = configuration
        self._prepare = prepare
        self._lock = Lock()
        self._ctx: Context | None = None

    def document(self, key: str, kind: str = "report") -> Mapping[str, Any] | None:
        """What the configuration says under a report's key, or a dashboard's, all layers together."""
        found = self._configuration.of(kind).get(key)
        return None if found is None else found.data

    def compile(self, text: str, key: str, hides: Hides | None = None) -> Built:
        """One report of a YAML text, under a key. `hides`: whose names are unknown, and are never suggested."""
        content = read_yaml(text, FILE)
        if content.problems or len(content.documents) != 1:
            return Built(None, tuple(content.problems) or (Problem("E201", "one report is expected here"),))
        data, place = content.documents[0]
        if not isinstance(data, dict) or next(iter(data), None) != "report":
            return Built(None, (Problem("E201", "a report begins with `report: <key>`", place.mark),))
        faults = check_document(Document("report", key, data, place, ""))
        if any(p.is_error for p in faults):
            return Built(None, tuple(faults))
        with self._lock:
            ctx = self._context()
            ctx.problems = []
            types = Types(ctx) if hides is None else SeenTypes(ctx, hides)
            report = compile_report(ctx, types, key, Item(dict(data), place, "", f"report.{key}"))
            problems, ctx.problems = tuple(ctx.problems), []
        if report is None or any(p.is_error for p in problems):
            return Built(None, problems)
        return Built(replace(report, is_own=True), problems)

    def compile_dashboard(
        self,
        text: str,
        key: str,
        entities: Mapping[str, Entity],
        reports: Mapping[str, Report],
        hides: Hides | None = None,
    ) -> tuple[Dashboard | None, tuple[Problem, ...]]:
        """A dashboard of a YAML text, under a key; a widget with a mistake stays, and says it."""
        content = read_yaml(text, "dashboard.yaml")
        if content.problems or len(content.documents) != 1:
            return None, tuple(content.problems) or (Problem("E201", "one dashboard is expected here"),)
        data, place = content.documents[0]
        if not isinstance(data, dict) or next(iter(data), None) != "dashboard":
            return None, (Problem("E201", "a dashboard begins with `dashboard: <key>`", place.mark),)
        faults = [p for p in check_document(Document("dashboard", key, data, place, "")) if p.is_error]
        with self._lock:
            ctx = self._context()
            ctx.problems = []
            types = Types(ctx) if hides is None else SeenTypes(ctx, hides)
            item = Item(dict(data), place, "", f"dashboard.{key}")
            made = None if faults else compile_dashboard(ctx, types, key, item, entities, reports, is_own=True)
            problems, ctx.problems = tuple(ctx.problems), []
        return made, (*faults, *problems)

    def _context(self) -> Context:
        if self._ctx is None:
            self._ctx = Context(self._configuration)
            self._prepare(self._ctx)
        return self._ctx


class SeenTypes(Types):
    """The types as one person knows them: what is kept from them has no name."""

    def __init__(self, ctx: Context, hides: Hides) -> None:
        super().__init__(ctx)
        self.hides = hides

    def names(self, entity: str) -> Iterable[str]:
        """The fields and lists that are seen."""
        return [name for name in super().names(entity) if not self.hides(entity, name)]

    def of(self, entity: str, name: str) -> Type | None:
        """What a formula sees under a name."""
        return None if self.hides(entity, name) else super().of(entity, name)

    def columns(self, entity: str, name: str) -> Mapping[str, Type]:
        """The columns of a links field's rows."""
        return {} if self.hides(entity, name) else super().columns(entity, name)

    def field_at(self, entity: str, path: str) -> FieldDraft | None:
        """The field at the end of a path."""
        return None if self.hides(entity, path.partition(".")[0]) else super().field_at(entity, path)
