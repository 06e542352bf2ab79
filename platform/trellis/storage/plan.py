"""What a change of configuration does to a tenant's tables: found out without changing, or locking, anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trellis.storage.advice import find_advice
from trellis.storage.catalogue import compile_or_raise
from trellis.storage.fills import fill_steps
from trellis.storage.live import owner_connection, read_live
from trellis.storage.moves import rename_steps
from trellis.storage.names import sql_name
from trellis.storage.renames import find_renames
from trellis.storage.stages import stage_steps
from trellis.storage.step import Phase, Step
from trellis.storage.tables import tables_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.engine import Connection

    from trellis.config.layer import Layer
    from trellis.model.model import Model
    from trellis.model.profile import TenantProfile
    from trellis.storage.catalogue import Catalogue
    from trellis.storage.steps import Difference
    from trellis.storage.tenant import Tenant


@dataclass(frozen=True)
class Plan:
    """What applying a configuration to a tenant would do, in order."""

    tenant: Tenant  # as it is now
    layers: tuple[Layer, ...]
    model: Model
    profile: TenantProfile
    steps: tuple[Step, ...]
    advice: tuple[str, ...] = ()  # records that stay as they are, though the configuration asks for more by now

    @property
    def is_empty(self) -> bool:
        """Whether the tables stay as they are; the configuration may differ all the same."""
        return not self.steps

    @property
    def changes_configuration(self) -> bool:
        """Whether the Model or the tenant's own profile is another than the live one."""
        return self.model.hash != self.tenant.model.hash or self.profile != self.tenant.profile

    @property
    def destroys(self) -> tuple[Step, ...]:
        """The steps after which data is gone."""
        return tuple(s for s in self.steps if s.destroys)

    @property
    def failing(self) -> tuple[Step, ...]:
        """The steps that some rows do not fit."""
        return tuple(s for s in self.steps if s.failing)

    @property
    def sql(self) -> tuple[str, ...]:
        """Every statement, in order; those for after the transaction come last."""
        return tuple(q for s in self.steps for q in s.sql) + tuple(q for s in self.steps for q in s.later)

    def as_json(self) -> dict[str, Any]:
        """The plan for programs."""
        return {
            "tenant": self.tenant.slug,
            "revision": self.tenant.revision,
            "changes_configuration": self.changes_configuration,
            "destroys": bool(self.destroys),
            "failing": sum(s.failing for s in self.failing),
            "steps": [s.as_json() for s in self.steps],
            "advice": list(self.advice),
        }


def plan(tenant: Tenant, layers: Sequence[Layer]) -> Plan:
    """Plan a configuration. Raises BrokenConfiguration when it has errors."""
    return plan_compiled(tenant, layers, *compile_or_raise(layers))


def plan_compiled(tenant: Tenant, layers: Sequence[Layer], model: Model, profile: TenantProfile) -> Plan:
    """Plan a Model that is compiled already."""
    with owner_connection(tenant) as connection:
        difference, steps = _compare(connection, tenant.model, model, profile)
        advice = tuple(find_advice(difference, tenant.model, model))
    return Plan(tenant, tuple(layers), model, profile, steps, advice)


def plan_revision(catalogue: Catalogue, slug: str, number: int) -> Plan:
    """Plan an earlier revision again. Raises LookupError, and BrokenConfiguration.

    Applying it makes a new revision of the same content.
    """
    return plan(catalogue.get(slug), catalogue.revision(slug, number).layers)


def find_steps(connection: Connection, old: Model | None, new: Model, profile: TenantProfile) -> tuple[Step, ...]:
    """Compare a Model's tables with the connection's schema. `old` is the Model that the data was written under."""
    return _compare(connection, old, new, profile)[1]


def _compare(
    connection: Connection, old: Model | None, new: Model, profile: TenantProfile
) -> tuple[Difference, tuple[Step, ...]]:
    # Alembic takes an eighth of a second to read, and a server that starts compares nothing
    from trellis.storage.compare import differences
    from trellis.storage.steps import Difference, operation_steps

    live = read_live(connection)
    renames = find_renames(old, new, live)
    metadata = tables_for(new).metadata
    difference = Difference(connection, metadata, live, renames, profile.time_zone)
    operations = list(differences(connection, metadata, live, renames))
    steps = [
        *operation_steps(difference, operations),
        *rename_steps(difference),
        *stage_steps(difference, old, new),
        *fill_steps(difference, old, new, profile),
        *_leftovers(difference),
    ]
    return difference, tuple(sorted(steps, key=lambda s: s.phase))


def _leftovers(difference: Difference) -> Iterator[Step]:
    """What an apply that was killed after its transaction has left half done."""
    for index in sorted(difference.live.broken_indexes):
        sql = (f"DROP INDEX IF EXISTS {sql_name(index)}",)
        yield Step(Phase.LOOSEN, "drop_index", "", index, f"Drop the unfinished index {index}.", sql)
    for table, key in difference.live.unchecked_keys:
        later = (f"ALTER TABLE {sql_name(table)} VALIDATE CONSTRAINT {sql_name(key)}",)
        yield Step(Phase.KEY, "check_key", table, key, f"Check the old rows of {table} by {key}.", (), later)
