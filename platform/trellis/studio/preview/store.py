"""The door of a preview: it knows the draft's Model and has no database behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, NoReturn

from trellis.records.record import FieldState, FormState, Group, Page
from trellis.records.store import Groups, Records, Store
from trellis.storage.tenant import Tenant
from trellis.studio.preview.samples import records_for

if TYPE_CHECKING:
    from trellis.model.compile import Compiled
    from trellis.model.pipeline import Pipeline
    from trellis.records.principal import Principal

MOST_RECORDS = 30


class NoDatabase(RuntimeError):
    """Something has asked the database for what is only a draft: a fault of ours."""


@dataclass(frozen=True, eq=False)
class DraftTenant(Tenant):
    """The tenant as its draft has it. There are no such tables yet, so that no connection is ever given."""

    @contextmanager
    def begin(self) -> Iterator[NoReturn]:
        """Refused."""
        raise NoDatabase("a preview reads and writes nothing")
        yield


def draft_tenant(tenant: Tenant, compiled: Compiled) -> DraftTenant:
    """The tenant with the Model and the profile of a draft without errors."""
    assert compiled.model is not None
    known = {f.name: getattr(tenant, f.name) for f in fields(Tenant)}
    return DraftTenant(**known | {"model": compiled.model, "profile": compiled.profile or tenant.profile})


class SampleStore(Store):
    """What the pieces of pages ask: rights by the draft's roles, and sample records for whatever is listed."""

    def __init__(self, tenant: DraftTenant, principal: Principal, live: Store) -> None:
        super().__init__(tenant, principal)
        reader = replace(self.principal.reader, rates=live.principal.reader.rates)  # of the company's own table
        self.session.principal = replace(principal, reader=reader)
        self.live = live

    def list(self, entity: str, *, columns: Sequence[str], limit: int = MOST_RECORDS, **_asked: Any) -> Page:
        """Sample records, whatever the conditions are."""
        model = self.tenant.model
        found = records_for(self.live, model, self.principal.reader, model.entities[entity], columns, limit)
        return Page(found)

    def samples_within(self, entity: str, condition: str, columns: Sequence[str]) -> Records:
        """Sample records; of the company's own only those that meet a condition over what is live."""
        model, reader = self.tenant.model, self.principal.reader
        return records_for(self.live, model, reader, model.entities[entity], columns, MOST_RECORDS, condition)

    def groups(self, entity: str, field: str, **_asked: Any) -> Groups:
        """The sample records by a value."""
        values = Counter(record[field] for record in self.list(entity, columns=[field]).rows)
        return [Group(value, count) for value, count in values.items()]

    def evaluate_form(self, entity: str, values: Any, id: Any = None) -> FormState:
        """A form as it is before anything is typed: every field is shown, also those that a condition would hide."""
        definition = self.tenant.model.entities[entity]
        states = {f.key: FieldState(required=f.required) for f in definition.fields.values()}
        return FormState(states, _beginning(definition.pipelines.values()))


def _beginning(pipelines: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    one: Pipeline
    for one in pipelines:
        if one.field not in found or one.default:
            found[one.field] = next(iter(one.stages), None)
    return found
