"""Which pools a Model has for whom: found once for each Model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trellis.formula.env import Env
from trellis.model.pool import ACTIVITY, WORDS, Pool, ReleaseRule
from trellis.records.kept import kept

if TYPE_CHECKING:
    from trellis.formula.formula import Formula
    from trellis.model.entity import Entity
    from trellis.model.model import Model
    from trellis.records.graph import LiveRecord


@dataclass(frozen=True)
class Renewing:
    """Records of another entity that renew the clock of what their `field` points to."""

    entity: str  # of the record whose clock is renewed
    field: str
    rule: str  # pool/rule
    many: bool  # the field is a links field
    when: Formula | None = None


@dataclass(frozen=True)
class Pools:
    """The pools that are on."""

    of: Mapping[str, tuple[Pool, ...]]  # by entity
    renewing: Mapping[str, tuple[Renewing, ...]]  # by the entity of the records that renew
    words: Mapping[str, frozenset[str]]  # by entity: the fields whose change may move a clock; empty: any

    @property
    def heard(self) -> frozenset[str]:
        """The entities whose events matter."""
        return frozenset(self.of) | frozenset(self.renewing)


def pools_of(model: Model) -> Pools:
    """The pools of a Model that are on."""
    found: Pools = kept((model.hash, "pools"), lambda: _find(model))
    return found


def name_of(pool: Pool, rule: ReleaseRule) -> str:
    """What a clock calls a rule."""
    return f"{pool.key}/{rule.key}"


def holds(pool: Pool, record: LiveRecord) -> bool:
    """Whether a record is one of the pool's, whoever has it."""
    return is_true(pool.filter, record)


def is_true(formula: Formula | None, record: LiveRecord) -> bool:
    """Whether a condition holds for a record in hand; none holds always."""
    if formula is None:
        return True
    env = Env(record, record.graph.session.reader, record.graph, old=record)
    return formula.evaluate(env) is True


def is_activity(model: Model, entity: Entity, about: str) -> str:
    """The field by which records of an entity are activities about those of `about`; empty: they are none."""
    if entity.internal or entity.part_of or not model.entities[about].features.activities:
        return ""
    for field in entity.fields.values():
        if field.type.name == "any_link" and not field.is_derived:
            targets = field.type.formula_type().entities
            if not targets or about in targets:
                return field.key
    return ""


def _find(model: Model) -> Pools:
    of: dict[str, list[Pool]] = defaultdict(list)
    renewing: dict[str, list[Renewing]] = defaultdict(list)
    for pool in model.pools.values():
        if not pool.active:
            continue
        of[pool.entity].append(pool)
        for rule in pool.rules:
            for renewal in rule.without:
                if renewal.word == ACTIVITY:
                    for other in model.entities.values():
                        if field := is_activity(model, other, pool.entity):
                            renewing[other.key].append(Renewing(pool.entity, field, name_of(pool, rule), many=False))
                elif renewal.word not in WORDS:
                    inverse = model.entities[pool.entity].inverses[renewal.word]
                    made = Renewing(pool.entity, inverse.field, name_of(pool, rule), inverse.many, renewal.when)
                    renewing[inverse.entity].append(made)
    return Pools(
        {key: tuple(pools) for key, pools in of.items()},
        {key: tuple(some) for key, some in renewing.items()},
        {key: _looked_at(model, pools) for key, pools in of.items()},
    )


def _looked_at(model: Model, pools: list[Pool]) -> frozenset[str]:
    """The entity's own fields that its pools look at: a change of another one moves no clock."""
    entity = model.entities[pools[0].entity]
    found = {pools[0].owner, *(p.field for p in entity.pipelines.values())}
    for pool in pools:
        for formula in (pool.filter, *(rule.when for rule in pool.rules)):
            found |= {path[0] for path in formula.reads} if formula is not None else set()
        if any(renewal.word == "update" for rule in pool.rules for renewal in rule.without):
            return frozenset()
    for name in list(found):  # derived ones by what they are made of
        field = entity.fields.get(name)
        if field is not None and field.formula is not None:
            found |= {path[0] for path in field.formula.reads}
    return frozenset(found)
