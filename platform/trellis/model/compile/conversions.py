"""Conversions: the fields that an entity gets from its `convert:` document, then the document itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from trellis.config.phrase import phrase
from trellis.config.problem import did_you_mean
from trellis.formula.types import Type, record_of
from trellis.model.compile.context import Context, humanize
from trellis.model.compile.drafts import EntityDraft, FieldDraft
from trellis.model.compile.formulas import condition, given
from trellis.model.compile.item import Item
from trellis.model.compile.names import Names
from trellis.model.compile.outline import SYSTEM_FIELDS, add_inverse, made_field
from trellis.model.compile.scope import EntityScope
from trellis.model.compile.types import Types
from trellis.model.conversion import CONVERTED_AT, MOVES, Conversion, Target, became_field, came_from
from trellis.model.given import Given
from trellis.model.text import NO_TEXT

UNCOMPARED = frozenset({"links", "file", "image", "signature", "secret", "json", "location"})


def documents(ctx: Context) -> Iterator[tuple[str, Item]]:
    """Every `convert:` document, by the entity that it converts."""
    for key, document in ctx.configuration.of("convert").items():
        yield key, Item(dict(document.data), document.place, "", document.name)


def draft_conversions(ctx: Context) -> None:
    """Give the entities that are converted a moment, and a link to each that they become."""
    for key, item in documents(ctx):
        draft = ctx.drafts.get(key)
        if draft is None or draft.is_abstract:
            continue  # compiling the document says so
        at = item.get("convert") or item
        _give(ctx, draft, CONVERTED_AT, at, {"type": "datetime", "label": "Converted at"}, system=True)
        into = item.get("into")
        for target, each in into.entries() if into is not None else ():
            if _is_target(ctx, key, target):
                inverse = came_from(key)
                given = {"type": "link", "to": target, "on_delete": "clear", "inverse": inverse}
                label = ctx.drafts[target].item.word("label", humanize(target))
                field = _give(ctx, draft, became_field(target), at, {**given, "label": f"Converted: {label}"})
                if field is not None:
                    add_inverse(ctx, draft, field, ctx.drafts[target], inverse, each)


def _is_target(ctx: Context, entity: str, target: str) -> bool:
    draft = ctx.drafts.get(target)
    return draft is not None and not draft.is_abstract and target != entity


def _give(
    ctx: Context, draft: EntityDraft, key: str, at: Item, given: Mapping[str, Any], *, system: bool = False
) -> FieldDraft | None:
    """Add a field; None where the entity has one of that name, which must then be of the same type."""
    own = draft.fields.get(key)
    given = {**given, "readonly": True, "copy": False}
    if own is not None:
        if own.item.word("type") not in ("", given["type"]):
            hint = "choose another name for the field"
            ctx.problem(
                "E308",
                phrase("'{key}' comes from the conversion as {type}", key=key, type=given["type"]),
                own.item,
                hint,
                at_key=True,
            )
            return None
        is_new = not own.type_name
        own.given, own.system = {**given, **own.given}, system
        return own if is_new else None
    made = made_field(draft, key, at, **given)
    made.system = system
    before = {k: f for k, f in draft.fields.items() if k not in SYSTEM_FIELDS}
    after = {k: f for k, f in draft.fields.items() if k in SYSTEM_FIELDS}
    draft.fields = {**before, key: made, **after}
    return made


def compile_conversions(ctx: Context, types: Types) -> dict[str, Conversion]:
    """The conversions, by entity."""
    found = {}
    for key, item in documents(ctx):
        draft = ctx.drafts.get(key)
        if draft is None or draft.is_abstract:
            name = item.get("convert") or item
            ctx.unknown("entity", name, (k for k, d in ctx.drafts.items() if not d.is_abstract))
            continue
        found[key] = _Compiler(ctx, types, draft, item).conversion()
    return found


class _Compiler:
    """One conversion in the making."""

    def __init__(self, ctx: Context, types: Types, draft: EntityDraft, item: Item) -> None:
        self.ctx = ctx
        self.types = types
        self.draft = draft
        self.item = item
        self.names = Names(ctx, types)
        self.made: dict[str, Type] = {}  # what later formulas may name

    def scope(self) -> EntityScope:
        """The record that is converted, under its fields' names, and what it has become so far.

        What it has become stands before a field of the same name, which is `record.account` then.
        """
        known = {"record": record_of(self.draft.key), **self.made}
        return EntityScope(self.types, self.draft.key, known, shadows=self.made)

    def conversion(self) -> Conversion:
        """The whole document."""
        item, then = self.item, self.item.get("then")
        into = dict(self._targets())
        self.names.roles(item.get("roles"))
        plain = self.types.scope(self.draft.key)
        return Conversion(
            entity=self.draft.key,
            label=self.ctx.text(item, "label", "Convert"),
            into=into,
            move=self._moves(),
            then=self._fills(then.get("set") if then is not None else None, self.draft),
            lock=then.flag("lock") if then is not None else False,
            when=condition(self.ctx, item.get("when"), plain),
            roles=item.words("roles"),
        )

    def _targets(self) -> Iterator[tuple[str, Target]]:
        into = self.item.get("into")
        for key, item in into.entries() if into is not None else ():
            if self.names.entity(item.key(key)) is None:
                continue
            if key == self.draft.key:
                self.ctx.problem(
                    "E322", phrase("'{name}' cannot become itself", name=key), item, "name another entity", at_key=True
                )
                continue
            draft = self.ctx.drafts[key]
            if draft.parent is not None:
                hint = phrase("convert into '{name}'", name=draft.parent)
                self.ctx.problem(
                    "E322", phrase("'{name}' is part of another record", name=key), item, hint, at_key=True
                )
                continue
            fills = self._fills(item.get("set"), draft)
            yield (
                key,
                Target(
                    entity=key,
                    label=self.ctx.text(item, "label") or NO_TEXT,
                    fills=fills,
                    match=self._match(item, draft, fills),
                    optional=item.flag("optional"),
                    when=condition(self.ctx, item.get("when"), self.types.scope(self.draft.key)),
                ),
            )
            self._unfilled(item, draft, fills)
            self.made[key] = record_of(key)

    def _match(self, item: Item, draft: EntityDraft, fills: Mapping[str, Given]) -> tuple[str, ...]:
        found = []
        listed = item.get("match")
        for each in listed.each() if listed is not None else ():
            field = draft.fields.get(each.text)
            if field is None:
                self.ctx.unknown("field", each, draft.fields, "E304")
            elif field.is_derived or field.type_name in UNCOMPARED:
                self.ctx.problem(
                    "E322",
                    phrase("'{name}' cannot be compared", name=each.text),
                    each,
                    "match a stored text, number or date",
                )
            elif each.text not in fills:
                self.ctx.problem(
                    "E322",
                    phrase("nothing fills '{name}', so that it matches nothing", name=each.text),
                    each,
                    "add it to `set`",
                )
            else:
                found.append(each.text)
        return tuple(found)

    def _fills(self, item: Item | None, draft: EntityDraft) -> dict[str, Given]:
        found = {}
        scope = self.scope()
        for key, each in item.entries() if item is not None else ():
            field = draft.fields.get(key)
            if field is None:
                hint = did_you_mean(key, draft.fields)
                self.ctx.problem(
                    "E304",
                    phrase("unknown field '{key}' of {draft}", key=key, draft=draft.key),
                    each,
                    hint,
                    at_key=True,
                )
                continue
            if field.is_derived or field.system:
                self.ctx.problem(
                    "E322",
                    phrase("'{key}' of {draft} is computed: it cannot be set", key=key, draft=draft.key),
                    each,
                    at_key=True,
                )
                continue
            found[key] = given(self.ctx, each, scope, self.types.formula_type(field))
        return found

    def _unfilled(self, item: Item, draft: EntityDraft, fills: Mapping[str, Given]) -> None:
        """Advice: what the person will always have to type."""
        for key, field in draft.fields.items():
            given = bool(field.given.get("required", field.item.flag("required")))
            if given and key not in fills and field.item.get("default") is None and not field.is_derived:
                hint = "add it to `set`, or whoever converts types it in"
                self.ctx.problem(
                    "W607",
                    phrase("'{key}' of {draft} is required, and nothing fills it", key=key, draft=draft.key),
                    item,
                    hint,
                )

    def _moves(self) -> tuple[str, ...]:
        known = (*MOVES, *self.draft.inverses)
        listed = self.item.get("move")
        found = []
        for each in listed.each() if listed is not None else ():
            if each.text in known:
                found.append(each.text)
            else:
                self.ctx.unknown("list", each, known, "E304")
        return tuple(found)
