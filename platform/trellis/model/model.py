"""The Model: one CRM, immutable and fully resolved. Everything that runs reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dc_field
from typing import TYPE_CHECKING, Any

from trellis.model.automation.document import DocumentTemplate
from trellis.model.automation.email import EmailTemplate
from trellis.model.automation.workflow import Workflow
from trellis.model.calendar import BusinessCalendar
from trellis.model.conversion import Conversion
from trellis.model.dashboards.dashboard import Dashboard
from trellis.model.entity import Entity
from trellis.model.pipeline import Pipeline
from trellis.model.pool import Pool
from trellis.model.reports.report import Report
from trellis.model.role import Role
from trellis.model.scenario import Scenario
from trellis.model.scoring import Scoring
from trellis.model.service_level import ServiceLevel
from trellis.model.text import Text

if TYPE_CHECKING:
    from trellis.config.problem import Mark
    from trellis.model.compile.reports.bench import Bench
    from trellis.model.formats.registry import Format


@dataclass(frozen=True, slots=True)
class Module:
    """A group of entities that a tenant switches on and off."""

    key: str
    label: Text
    icon: str = "box"
    order: int = 100


@dataclass(frozen=True, slots=True)
class MenuItem:
    """An entry of the sidebar: an entity's list (or one of its views), a report, a dashboard or a page address."""

    kind: str  # entity, report, dashboard
    key: str
    label: Text
    icon: str
    view: str | None = None


@dataclass(frozen=True, slots=True)
class MenuGroup:
    """A titled group of the sidebar."""

    key: str
    label: Text
    items: tuple[MenuItem, ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """A parameter that an installer may set without editing YAML; `setting.<key>` in formulas."""

    key: str
    type: str
    default: Any
    label: Text


@dataclass(frozen=True)
class Model:
    """One CRM. Equal layers give the same Model (`hash`), which every tenant that uses it shares."""

    hash: str
    entities: Mapping[str, Entity]
    pipelines: Mapping[str, Pipeline] = dc_field(default_factory=dict)
    conversions: Mapping[str, Conversion] = dc_field(default_factory=dict)  # by the entity that is converted
    roles: Mapping[str, Role] = dc_field(default_factory=dict)
    modules: Mapping[str, Module] = dc_field(default_factory=dict)
    menus: Mapping[str, tuple[MenuGroup, ...]] = dc_field(default_factory=dict)
    reports: Mapping[str, Report] = dc_field(default_factory=dict)
    dashboards: Mapping[str, Dashboard] = dc_field(default_factory=dict)
    emails: Mapping[str, EmailTemplate] = dc_field(default_factory=dict)
    documents: Mapping[str, DocumentTemplate] = dc_field(default_factory=dict)
    document_files: Mapping[str, str] = dc_field(default_factory=dict)  # of the layers' documents/ folders, by name
    workflows: Mapping[str, Workflow] = dc_field(default_factory=dict)  # in the order in which they run
    scenarios: tuple[Scenario, ...] = ()  # the tests of the last layer
    pools: Mapping[str, Pool] = dc_field(default_factory=dict)
    scorings: Mapping[str, Scoring] = dc_field(default_factory=dict)
    calendars: Mapping[str, BusinessCalendar] = dc_field(default_factory=dict)
    service_levels: Mapping[str, ServiceLevel] = dc_field(default_factory=dict)
    settings: Mapping[str, Setting] = dc_field(default_factory=dict)
    formats: Mapping[str, Format] = dc_field(default_factory=dict)  # those of `format:` documents
    languages: tuple[str, ...] = ("en",)
    bench: Bench | None = dc_field(default=None, compare=False, repr=False)  # compiles the reports that people build
    origins: Mapping[str, Mark] = dc_field(default_factory=dict)  # "entity.deal.fields.amount" → where it was written

    def links_to(self, entity: str) -> list[tuple[Entity, str]]:
        """Every (entity, field) that points at the entity."""
        return [(e, i.field) for i in self.entities[entity].inverses.values() for e in (self.entities[i.entity],)]
