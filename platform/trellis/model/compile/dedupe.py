"""The rules that look for duplicates, resolved: what is compared, and where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trellis.config.phrase import phrase
from trellis.model.compile.context import Context
from trellis.model.compile.drafts import EntityDraft
from trellis.model.compile.item import Item
from trellis.model.entity import Dedupe
from trellis.model.matching import Match, read_match

NOT_COMPARED = ("links", "json", "code", "rich_text", "secret", "file", "image", "signature", "location", "reminders")
DERIVED = ("formula", "rollup", "lookup")


def compile_dedupe(ctx: Context, draft: EntityDraft) -> tuple[Dedupe, ...]:
    """Every rule of an entity whose parts are all known."""
    found = []
    rules = draft.item.get("dedupe")
    for key, item in rules.entries() if rules is not None else ():
        matches = [m for each in _listed(item.get("match")) if (m := _match(ctx, draft, each)) is not None]
        action: Any = item.word("action", "warn")
        against = _against(ctx, item.get("against"), matches)
        if matches:
            found.append(Dedupe(key, tuple(matches), action, against))
    return tuple(found)


def _listed(item: Item | None) -> list[Item]:
    return [] if item is None else list(item.each())


def _match(ctx: Context, draft: EntityDraft, item: Item) -> Match | None:
    match = read_match(item.text)
    if match is None:
        message = phrase("'{name}' says nothing that can be compared", name=item.text)
        ctx.problem(
            "E327", message, item, "write name, exact(name), similar(name), similar(name, 0.8) or domain(website)"
        )
        return None
    if not _may_compare(ctx, draft, match.field, item):
        return None
    if match.how == "domain" and draft.fields[match.field].type_name != "url":
        ctx.problem(
            "E327",
            phrase("'{name}' holds no addresses of sites", name=match.field),
            item,
            "domain(…) compares fields of type url",
        )
        return None
    return match


def _may_compare(ctx: Context, draft: EntityDraft, name: str, item: Item) -> bool:
    field = draft.fields.get(name)
    if field is None:
        ctx.unknown("field", item, draft.fields, "E304", name=name)
        return False
    if field.item.word("type") in NOT_COMPARED or any(field.item.get(word) is not None for word in DERIVED):
        hint = "a rule compares values that are stored with the record"
        ctx.problem("E327", phrase("the field '{name}' cannot be compared", name=name), item, hint)
        return False
    return True


def _against(ctx: Context, item: Item | None, matches: list[Match]) -> Mapping[str, Mapping[str, str]]:
    """The other entities, each with the names of its fields that differ from the own ones."""
    if item is None:
        return {}
    named: list[tuple[str, Item, Item | None]] = (
        [(key, inner, inner) for key, inner in item.entries()]
        if isinstance(item.data, dict)
        else [(each.text, each, None) for each in item.each()]
    )
    found: dict[str, dict[str, str]] = {}
    for key, at, names in named:
        other = ctx.drafts.get(key)
        if other is None:
            ctx.unknown("entity", at, ctx.drafts, "E301", name=key)
            continue
        renamed: dict[str, str] = {}
        own = {match.field for match in matches}
        for name, there in names.entries() if names is not None and isinstance(names.data, dict) else ():
            if name not in own:
                ctx.unknown("field of the rule", there, own, "E304", name=name)
                continue
            renamed[name] = there.text
        targets = [(renamed.get(match.field, match.field), at) for match in matches]
        found[key] = renamed
        for name, where in targets:
            _may_compare(ctx, other, name, where)
    return found
