"""`pool:` documents: the fields that an entity gets from its pools, the pools, and a view of each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace

from trellis.config.phrase import phrase
from trellis.formula.formula import Formula, FormulaError, compile_formula
from trellis.formula.types import BOOLEAN
from trellis.model.compile.automation.bodies import Bodies, span
from trellis.model.compile.automation.verbs import choosing
from trellis.model.compile.context import Context, humanize
from trellis.model.compile.drafts import EntityDraft
from trellis.model.compile.formulas import condition
from trellis.model.compile.item import Item
from trellis.model.compile.names import Names
from trellis.model.compile.outline import SYSTEM_FIELDS, made_field
from trellis.model.compile.types import Types
from trellis.model.compile.views import default_columns
from trellis.model.entity import Entity
from trellis.model.pool import (
    LOCKED_UNTIL,
    OWNER_SINCE,
    PREVIOUS_OWNER,
    RETURNS_AT,
    WORDS,
    Claiming,
    Distribution,
    Locking,
    People,
    Pool,
    ReleaseRule,
    Renewal,
)
from trellis.model.spans import Span
from trellis.model.view import Sort, View

_GIVEN = {
    OWNER_SINCE: {"type": "datetime", "label": "Owner changed"},
    RETURNS_AT: {"type": "datetime", "label": "Returns to the pool"},
    PREVIOUS_OWNER: {"type": "user", "label": "Previous owner"},
    LOCKED_UNTIL: {"type": "datetime", "label": "Locked until"},
}


def draft_pools(ctx: Context) -> None:
    """Give the entities the fields of their pools; those of a pool that is off stay, as the dates in them do."""
    done: set[str] = set()
    for item in _items(ctx).values():
        draft = _draft(ctx, item)
        if draft is None or draft.key in done:
            continue
        done.add(draft.key)
        if not draft.owners:
            ctx.problem(
                "E325",
                phrase("'{name}' has no owner", name=draft.key),
                item.get("entity") or item,
                "give a field `role: owner`",
            )
        for key, given in _GIVEN.items():
            if key in draft.fields:
                ctx.problem(
                    "E308",
                    phrase("'{name}' comes from the pools", name=key),
                    draft.fields[key].item,
                    "call it otherwise",
                )
                continue
            made = made_field(draft, key, item, **given)
            made.system = True
            base = {k: f for k, f in draft.fields.items() if f.system and k in SYSTEM_FIELDS}
            draft.fields = {**{k: f for k, f in draft.fields.items() if k not in base}, key: made, **base}


def compile_pools(ctx: Context, types: Types, entities: dict[str, Entity]) -> dict[str, Pool]:
    """Every pool by its key; the entities get a view of each that is on."""
    found: dict[str, Pool] = {}
    for key, item in _items(ctx).items():
        draft = _draft(ctx, item)
        if draft is None or draft.key not in entities or entities[draft.key].owner_field is None:
            continue
        pool = _pool(ctx, types, key, item, entities[draft.key])
        found[key] = pool
        if pool.active and (view := _view(ctx, types, draft, item, pool, entities[draft.key])) is not None:
            entity = entities[draft.key]
            entities[draft.key] = replace(entity, views={**entity.views, key: view})
    return found


def _items(ctx: Context) -> dict[str, Item]:
    return {
        key: Item(dict(document.data), document.place, "", document.name)
        for key, document in ctx.configuration.of("pool").items()
    }


def _draft(ctx: Context, item: Item) -> EntityDraft | None:
    name = item.word("entity")
    draft = ctx.drafts.get(name)
    return None if draft is None or draft.is_abstract else draft  # check_pool says so


def _pool(ctx: Context, types: Types, key: str, item: Item, entity: Entity) -> Pool:
    names = Names(ctx, types)
    scope = types.scope(entity.key)
    claim, lock, distribute = item.get("claim"), item.get("lock"), item.get("distribute")
    assert entity.owner_field is not None
    return Pool(
        key=key,
        label=ctx.text(item, "label", humanize(key)),
        entity=entity.key,
        owner=entity.owner_field,
        description=ctx.text(item, "description"),
        filter=condition(ctx, item.get("filter"), scope),
        members=_people(names, item.get("members")),
        admins=_people(names, item.get("admins")),
        hide=frozenset(_hidden(ctx, item.get("hide"), entity)),
        rules=tuple(_rules(ctx, types, item, entity)),
        claim=Claiming(
            _number(claim, "per_day"),
            _number(claim, "holding"),
            condition(ctx, claim.get("not_counting"), scope) if claim is not None else None,
            _of_a_team(ctx, claim),
        ),
        lock=_locking(ctx, lock, entity) if lock is not None else None,
        distribute=Distribution(
            choosing(Bodies(names, entity.key, {}), distribute),
            span(distribute.get("after")),
            _number(distribute, "per_day"),
            condition(ctx, distribute.get("when"), scope),
        )
        if distribute is not None
        else None,
        cool_down=span(item.get("cool_down")),
        active=item.flag("active", True),
        digest=hashlib.sha256(repr(item.data).encode()).hexdigest()[:16],
    )


def _number(item: Item | None, key: str) -> int | None:
    found = item.get(key) if item is not None else None
    return found.data if found is not None and isinstance(found.data, int) else None


def _of_a_team(ctx: Context, claim: Item | None) -> int | None:
    """How many a team may hold: people must have a team for that."""
    found = _number(claim, "team_holding")
    if claim is not None and found is not None and not ("user" in ctx.drafts and "team" in ctx.drafts["user"].fields):
        hint = "give users a field `team: {type: link, to: team}`"
        ctx.problem("E325", "people have no team", claim.get("team_holding") or claim, hint)
    return found


def _locking(ctx: Context, lock: Item, entity: Entity) -> Locking:
    """Whose duplicates are kept from others: there must be a rule that says what a duplicate is."""
    exact = [rule for rule in entity.dedupe if all(match.how != "similar" for match in rule.match)]
    if lock.flag("duplicates", False) and not exact:
        hint = phrase("give {entity} a `dedupe:` rule without `similar`", entity=entity.key)
        ctx.problem("E325", "nothing says what a duplicate is", lock.get("duplicates") or lock, hint)
    return Locking(_number(lock, "at_most"), span(lock.get("for")), lock.flag("duplicates", False))


def _people(names: Names, item: Item | None) -> People:
    if item is None:
        return People()
    names.roles(item.get("roles"))
    return People(frozenset(item.words("roles")), item.words("teams"), item.words("users"))


def _hidden(ctx: Context, item: Item | None, entity: Entity) -> Iterator[str]:
    """The fields that are hidden until a claim: stored values, and neither what names the record nor its owner."""
    naming = {entity.title_field, entity.owner_field, *(p[0] for p in (entity.title.reads if entity.title else ()))}
    for each in item.each() if item is not None else ():
        field = entity.fields.get(each.text)
        if field is None:
            ctx.unknown("field", each, entity.fields, "E304")
        elif not field.is_stored or field.is_derived or field.system or each.text in naming:
            hint = "stored fields can be hidden, but those that name the record and its owner cannot"
            ctx.problem("E325", phrase("'{name}' cannot be hidden in a pool", name=each.text), each, hint)
        else:
            yield each.text


def _rules(ctx: Context, types: Types, item: Item, entity: Entity) -> Iterator[ReleaseRule]:
    """One rule, or several by their names."""
    release = item.get("release")
    if release is None:
        return
    named = [("release", release)] if release.get("after") is not None else list(release.entries())
    for key, rule in named:
        if not isinstance(rule.data, dict):
            continue
        warn = rule.get("warn")
        yield ReleaseRule(
            key=key,
            label=ctx.text(rule, "label", humanize(key)),
            after=span(rule.get("after")) or Span(),
            without=tuple(_renewals(ctx, types, rule.get("without"), entity)),
            extend=span(rule.get("extend")),
            at_most=span(rule.get("at_most")),
            warn=tuple(found for each in (warn.each() if warn is not None else ()) if (found := span(each))),
            when=condition(ctx, rule.get("when"), types.scope(entity.key)),
        )


def _renewals(ctx: Context, types: Types, item: Item | None, entity: Entity) -> Iterator[Renewal]:
    for each in item.each() if item is not None else ():
        named: list[tuple[str, Item]] = list(each.entries()) if isinstance(each.data, dict) else [(each.text, each)]
        for word, place in named:
            inverse = entity.inverses.get(word)
            if word not in WORDS and inverse is None:
                ctx.unknown("renewal", place if place is not each else each, (*WORDS, *entity.inverses), "E304")
                continue
            when = None
            if place is not each and inverse is not None:
                when = condition(ctx, place, types.scope(inverse.entity))
            yield Renewal(word, when)


def _view(ctx: Context, types: Types, draft: EntityDraft, item: Item, pool: Pool, entity: Entity) -> View | None:
    """The records in the pool as a list: what the entity's first list shows, and since when nobody has them."""
    filter = free(types, pool)
    if filter is None:
        return None
    first = next((v.columns for v in entity.views.values() if v.type == "list"), ())
    columns = item.words("columns") or first or default_columns(draft, entity.fields, entity.title_field)
    names = Names(ctx, types)
    names.fields(item.get("columns"), entity.key)
    shown = tuple(c for c in columns if c not in (pool.owner, OWNER_SINCE, PREVIOUS_OWNER))
    roles = pool.members.roles | pool.admins.roles | {"admin"} if pool.members.roles else frozenset()
    only = () if pool.members.teams or pool.members.users else tuple(sorted(roles & set(ctx.roles)))
    return View(
        key=pool.key,
        type="list",
        label=pool.label,
        filter=filter,
        sort=(Sort(OWNER_SINCE, descending=True),),
        columns=(*shown, OWNER_SINCE, PREVIOUS_OWNER),
        roles=only,
        icon="pool",
    )


def free(types: Types, pool: Pool) -> Formula | None:
    """Whether a record lies in the pool: nobody has it, and the filter holds."""
    source = f"{pool.owner} == blank"
    if pool.filter is not None:
        own = pool.filter.source.strip()
        source = f"{source} and ({own})" if " or " in own else f"{source} and {own}"
    try:
        return compile_formula(source, types.scope(pool.entity), expected=BOOLEAN)
    except FormulaError:
        return None  # the filter's own fault has been told


def by_entity(pools: Mapping[str, Pool]) -> dict[str, tuple[Pool, ...]]:
    """The pools of each entity."""
    found: dict[str, tuple[Pool, ...]] = {}
    for pool in pools.values():
        found[pool.entity] = (*found.get(pool.entity, ()), pool)
    return found
