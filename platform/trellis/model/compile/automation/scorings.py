"""`scoring:` documents: the field that is computed, the rules of what a record is, and of what happens to it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from trellis.config.phrase import phrase
from trellis.model.automation.triggers import OnRecord
from trellis.model.compile.automation.bodies import span
from trellis.model.compile.automation.triggers import Triggers
from trellis.model.compile.context import Context, humanize
from trellis.model.compile.formulas import condition, formula
from trellis.model.compile.item import Item
from trellis.model.compile.names import Names
from trellis.model.compile.types import Types
from trellis.model.entity import Entity
from trellis.model.scoring import Behaviour, Decay, Fit, Scoring
from trellis.model.spans import Span

NUMBERS = ("integer", "decimal", "percent")


def draft_scorings(ctx: Context) -> None:
    """The field that a scoring writes is read-only for everybody else."""
    taken: dict[tuple[str, str], str] = {}
    for key, item in _items(ctx).items():
        draft, name = ctx.drafts.get(item.word("entity")), item.word("field")
        field = draft.fields.get(name) if draft is not None else None
        if draft is None or field is None or not item.flag("active", True):
            continue  # what is wrong is said where it is compiled
        if (other := taken.setdefault((draft.key, name), key)) != key:
            ctx.problem(
                "E325",
                phrase("scoring '{other}' writes '{name}' already", other=other, name=name),
                item.get("field") or item,
            )
        field.given = {**field.given, "readonly": True}


def compile_scorings(ctx: Context, types: Types, entities: dict[str, Entity]) -> dict[str, Scoring]:
    """Every scoring by its key."""
    found = {}
    for key, item in _items(ctx).items():
        names = Names(ctx, types)
        entity, name = names.entity(item.get("entity")), item.get("field")
        if entity is None or entity not in entities or name is None:
            continue
        field = entities[entity].fields.get(name.text)
        if field is None:
            ctx.unknown("field", name, entities[entity].fields, "E304")
            continue
        if field.type.name not in NUMBERS or field.is_derived:
            ctx.problem(
                "E325",
                phrase("'{name}' cannot hold points", name=name.text),
                name,
                "name an integer, a decimal or a percent",
            )
            continue
        found[key] = _scoring(ctx, names, key, item, entity, name.text)
    return found


def _items(ctx: Context) -> dict[str, Item]:
    return {
        key: Item(dict(document.data), document.place, "", document.name)
        for key, document in ctx.configuration.of("scoring").items()
    }


def _scoring(ctx: Context, names: Names, key: str, item: Item, entity: str, field: str) -> Scoring:
    decay = item.get("decay")
    return Scoring(
        key=key,
        label=ctx.text(item, "label", humanize(key)),
        entity=entity,
        field=field,
        description=ctx.text(item, "description"),
        filter=condition(ctx, item.get("filter"), names.types.scope(entity)),
        fit=tuple(_fit(ctx, names, item, entity)),
        behaviour=tuple(_behaviour(ctx, names, key, item, entity)),
        decay=Decay(_number(decay, "points") or Decimal(0), span(decay.get("every")) or Span())
        if decay is not None
        else None,
        at_most=_number(item, "at_most"),
        active=item.flag("active", True),
        digest=hashlib.sha256(repr(item.data).encode()).hexdigest()[:16],
    )


def _number(item: Item | None, key: str) -> Decimal | None:
    found = item.get(key) if item is not None else None
    try:
        return Decimal(found.text) if found is not None else None
    except InvalidOperation:
        return None  # the check of shapes has said so


def _fit(ctx: Context, names: Names, item: Item, entity: str) -> Iterator[Fit]:
    listed = item.get("fit")
    for key, rule in listed.entries() if listed is not None else ():
        when = condition(ctx, rule.get("when"), names.types.scope(entity)) if isinstance(rule.data, dict) else None
        if when is not None:
            yield Fit(key, ctx.text(rule, "label", humanize(key)), when, _number(rule, "points") or Decimal(0))


def _behaviour(ctx: Context, names: Names, key: str, item: Item, entity: str) -> Iterator[Behaviour]:
    listed = item.get("behaviour")
    for name, rule in listed.entries() if listed is not None else ():
        on = rule.get("on") if isinstance(rule.data, dict) else None
        made = Triggers(names, key).compile(on) if on is not None else None
        if made is None or not isinstance(made[0], OnRecord) or made[0].entity is None:
            continue
        scope = names.scope(made[0].entity)
        of = formula(ctx, rule.get("of"), scope)
        if of is None:
            continue
        if of.type.kind not in ("record", "records", "any", "blank") or (
            of.type.entities and entity not in of.type.entities
        ):
            ctx.problem(
                "E406",
                phrase("a record of {entity} is expected here, not a {type}", entity=entity, type=of.type),
                rule.get("of") or rule,
            )
            continue
        yield Behaviour(
            name,
            ctx.text(rule, "label", humanize(name)),
            made[0],
            of,
            _number(rule, "points") or Decimal(0),
            _number(rule, "at_most"),
            condition(ctx, rule.get("when"), scope),
        )
