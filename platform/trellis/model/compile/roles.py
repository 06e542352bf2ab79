"""Roles: grants per entity, with "*" spread over the entities that a role does not name."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any

from trellis.config.phrase import phrase
from trellis.config.problem import did_you_mean, instead
from trellis.formula.formula import Formula
from trellis.formula.types import Type, record_of
from trellis.model.compile.context import Context, humanize
from trellis.model.compile.formulas import condition
from trellis.model.compile.item import Item
from trellis.model.compile.scope import EntityScope
from trellis.model.compile.types import Types
from trellis.model.role import ACTIONS, ALL, NONE, Grant, Level, Role

_LEVELS = {"false": NONE, "own": Level("own"), "team": Level("team"), "all": ALL, "true": ALL}
_MEANT = {
    **dict.fromkeys(("mine", "my", "self", "owner"), instead("own")),
    **dict.fromkeys(("everyone", "everything", "any", "full", "yes"), instead("all")),
    **dict.fromkeys(("none", "no", "never", "nobody"), instead("false")),
}
_WORD = re.compile(r"[A-Za-z_]+\Z")
_MODES = ("hidden", "readonly", "masked")


def compile_roles(ctx: Context, types: Types) -> dict[str, Role]:
    """Every role."""
    return {
        key: _role(ctx, types, key, Item(dict(document.data), document.place, "", document.name))
        for key, document in ctx.configuration.of("role").items()
    }


def _role(ctx: Context, types: Types, key: str, item: Item) -> Role:
    entities = [k for k, d in ctx.drafts.items() if not d.is_abstract]
    written: dict[str, Item] = {}
    grants = item.get("grants")
    for entity, grant in grants.entries() if grants is not None else ():
        if entity != "*" and entity not in entities:
            at = grant.place.key_mark
            ctx.problem(
                "E301", phrase("unknown entity '{name}'", name=entity), grant, did_you_mean(entity, entities), mark=at
            )
        written[entity] = grant
    resolved: dict[str, Grant] = {}
    me = {"me": record_of("contact")} if item.flag("portal") and "contact" in entities else {}
    for entity in entities:
        source = written.get(entity) or written.get("*")
        # a part is secured with its parent; it may be named to say otherwise
        if entity not in written and (parent := ctx.drafts[entity].parent) is not None and parent in written:
            source = None
        if source is not None:
            resolved[entity] = _grant(ctx, types.scope(entity, **me), source, named=entity in written)
    for entity in entities:
        holder = ctx.drafts[entity].parent
        while entity not in resolved and holder is not None:  # a part of a part, too
            if holder in resolved:
                resolved[entity] = resolved[holder]
            holder = ctx.drafts[holder].parent if holder != entity else None
    where = item.get("where")
    return Role(
        key=key,
        label=ctx.text(item, "label", humanize(key)),
        grants=resolved,
        allow=frozenset(item.words("allow")),
        portal=item.flag("portal"),
        where=None if where is None else _role_where(ctx, types, where, me),
        second_factor=item.word("second_factor") == "required",
    )


def _role_where(ctx: Context, types: Types, item: Item, me: Mapping[str, Type]) -> Formula | None:
    """A role's condition is about any entity: it is checked on the first that has all of its names."""
    entities = [k for k, d in ctx.drafts.items() if not d.is_abstract]
    for entity in entities:
        scope = types.scope(entity, **me)
        found = ctx.quietly(functools.partial(condition, ctx, item, scope))
        if found is not None:
            return found
    return condition(ctx, item, types.scope(entities[0], **me)) if entities else None


def _grant(ctx: Context, scope: EntityScope, item: Item, named: bool) -> Grant:
    entity = str(scope.entity)
    levels: dict[str, Level] = {}
    fields: dict[str, Any] = {}
    where = None
    if not isinstance(item.data, dict):
        level = _level(ctx, scope, item, named)
        return Grant(dict.fromkeys(ACTIONS, level))
    for action, value in item.entries():
        if action == "where":
            where = condition(ctx, value, scope) if named else None
        elif action == "fields":
            fields = _fields(ctx, entity, value) if named else {}
        elif action in ACTIONS and value.data is not None:
            levels[action] = _level(ctx, scope, value, named)
    return Grant(levels, where, fields)


def _level(ctx: Context, scope: EntityScope, item: Item, named: bool) -> Level:
    entity = str(scope.entity)
    text = item.text
    if text.lower() in _LEVELS:
        level = _LEVELS[text.lower()]
        if level.kind == "own" and named and not _has_owner(ctx, entity):
            hint = "add a `user` field with `role: owner`, or write a formula"
            ctx.problem("W606", phrase("'{name}' has no owner: own means who created it", name=entity), item, hint)
        return level
    # what "*" says holds where its names exist
    drafts = [ctx.drafts[entity]] if named else list(ctx.drafts.values())
    if _WORD.match(text) and not any(text in d.fields for d in drafts):
        hint = _MEANT.get(text.lower()) or did_you_mean(text, _LEVELS) or "expected false, own, team, all or a formula"
        ctx.problem("E402", phrase("'{name}' is no level", name=text), item, hint)
        return NONE
    compiled = condition(ctx, item, scope) if named else ctx.quietly(lambda: condition(ctx, item, scope))
    return Level("formula", compiled) if compiled is not None else NONE


def _has_owner(ctx: Context, entity: str) -> bool:
    draft = ctx.drafts[entity]
    return (
        draft.parent is not None
        or any(f.item.word("role") == "owner" for f in draft.fields.values())
        or entity == "user"
    )


def _fields(ctx: Context, entity: str, item: Item) -> dict[str, Any]:
    known = ctx.drafts[entity].fields
    found: dict[str, Any] = {}
    for name, mode in item.entries():
        if name not in known:
            ctx.problem(
                "E304", phrase("unknown field '{name}'", name=name), mode, did_you_mean(name, known), at_key=True
            )
        elif mode.text in _MODES:  # of another word the check of shapes has told
            found[name] = mode.text
    return found
