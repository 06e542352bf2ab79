"""Fields, resolved: from a draft to the Model's Field."""

from __future__ import annotations

from typing import Any

from trellis.formula.formula import Formula
from trellis.formula.types import record_of
from trellis.model.compile.context import Context, humanize
from trellis.model.compile.drafts import EntityDraft, FieldDraft
from trellis.model.compile.formats import is_pattern
from trellis.model.compile.formulas import condition
from trellis.model.compile.item import Item
from trellis.model.compile.pipelines import stage_default
from trellis.model.compile.types import Types
from trellis.model.field import Field
from trellis.model.text import NO_TEXT, Text

_NAMES_FIELDS = {"duration": ("between",), "datetime": ("all_day",), "reminders": ("for",), "sequence": ("per",)}
ALL_PLACES = frozenset({"form", "list", "export", "api"})


def compile_field(ctx: Context, types: Types, draft: EntityDraft, field: FieldDraft) -> Field | None:
    """One field; None where its type cannot be known (a problem says so)."""
    derivation = types.derivation(field) if field.is_derived else None
    found = types.final_type(field)
    if found is None:
        return None
    item = field.item
    scope = types.scope(draft.key, old=record_of(draft.key))
    is_rollup = item.get("rollup") is not None
    if derivation is not None:
        ctx.formulas.append(
            (draft.key, field.key, derivation, item.get("formula") or item.get("lookup") or item.get("rollup") or item)
        )
    if (pattern := item.get("pattern")) is not None:
        is_pattern(ctx, pattern)
    _check_format(ctx, item.get("format"))
    if _is_choice_of_nothing(field) and not ctx.has_problem_in(item):
        hint = "a list, or the key of a `choices:` document"
        ctx.problem("E204", "'choices' is missing", item, hint, at_key=True)
    for name in _NAMES_FIELDS.get(field.type_name, ()):
        named = item.get(name)
        for each in named.each() if named is not None else ():
            if each.text not in draft.fields:
                ctx.unknown("field", each, draft.fields, "E304")
    default = item.get("default")
    return Field(
        key=field.key,
        type=found,
        label=label_of(ctx, draft, field),
        help=ctx.text(item, "help", ancestors=draft.ancestors),
        placeholder=ctx.text(item, "placeholder", ancestors=draft.ancestors),
        required=bool(field.given.get("required", item.flag("required"))),
        unique=item.flag("unique"),
        default=types.default(field, default) if default is not None else stage_default(field),
        follow_default=item.flag("follow_default"),
        readonly="always" if field.given.get("readonly") else _readonly(item),
        hidden=_hidden(item) or frozenset(field.given.get("hidden", ())),
        visible_when=condition(ctx, item.get("visible_when"), scope),
        required_when=condition(ctx, item.get("required_when"), scope),
        readonly_when=condition(ctx, item.get("readonly_when"), scope),
        choices_when=_choices_when(ctx, item.get("choices_when"), found, scope),
        clear_when_hidden=item.flag("clear_when_hidden"),
        formula=None if is_rollup else derivation,
        rollup=derivation if is_rollup else None,
        pattern=item.word("pattern") or None,
        pattern_message=ctx.text(item, "pattern_message", ancestors=draft.ancestors),
        format=item.word("format") or None,
        search=item.flag("search"),
        index=item.flag("index"),
        audit=bool(field.given.get("audit", item.flag("audit", True))),
        copy=bool(field.given.get("copy", item.flag("copy", True))),
        stored=item.flag("stored", True),
        translate=item.flag("translate"),
        personal=item.flag("personal"),
        role="owner" if item.word("role") == "owner" and field is draft.owners[0] else None,
        span="full" if item.word("span") == "full" else "half",
        system=field.system,
        was=item.word("was") or None,
    )


def _is_choice_of_nothing(field: FieldDraft) -> bool:
    """A choice without choices, unless a pipeline or the platform gives them."""
    is_own = field.type_name in ("choice", "choices") and not field.is_derived and not field.given
    return is_own and field.choices is None and field.item.get("choices") is None


def label_of(ctx: Context, draft: EntityDraft, field: FieldDraft) -> Text:
    """What a field is called."""
    given = field.given.get("label")
    written = field.item.get("label")
    common = [f"system.fields.{field.key}.label"] if given is not None else []
    source = written.text if written is not None else str(given or humanize(field.key))
    return ctx.text(field.item, "label", source, draft.ancestors, common) or NO_TEXT


def _readonly(item: Item) -> Any:
    found = item.get("readonly")
    if found is None or found.data is False:
        return "never"
    return "after_create" if found.text == "after_create" else "always"


def _hidden(item: Item) -> frozenset[str]:
    found = item.get("hidden")
    if found is None or found.data is False:
        return frozenset()
    return ALL_PLACES if found.data is True else frozenset(i.text for i in found.each())


def _choices_when(ctx: Context, item: Item | None, found: Any, scope: Any) -> dict[str, Formula]:
    known = [c.key for c in getattr(found, "choices", ()) if not isinstance(c, str)]
    conditions: dict[str, Formula] = {}
    for key, value in item.entries() if item is not None else ():
        if known and key not in known:
            ctx.unknown("choice", value.key(key), known, "E306")
        elif (compiled := condition(ctx, value, scope)) is not None:
            conditions[key] = compiled
    return conditions


def _check_format(ctx: Context, item: Item | None) -> None:
    if item is None:
        return
    if item.text not in ctx.formats:
        ctx.unknown("format", item, ctx.formats, "E306")
