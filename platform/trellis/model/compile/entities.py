"""Entities, resolved: from a draft to the Model's Entity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trellis.config.phrase import phrase
from trellis.formula.formula import Formula
from trellis.formula.types import record_of
from trellis.model.compile.bins import purge_after
from trellis.model.compile.context import Context, humanize
from trellis.model.compile.dedupe import compile_dedupe
from trellis.model.compile.drafts import EntityDraft
from trellis.model.compile.fields import compile_field
from trellis.model.compile.forms import compile_form, compile_forms, compile_related
from trellis.model.compile.formulas import condition, template
from trellis.model.compile.item import Item
from trellis.model.compile.outline import INTERNAL, SYSTEM_FIELDS
from trellis.model.compile.paths import check_path
from trellis.model.compile.pipelines import compile_pipelines
from trellis.model.compile.types import Types
from trellis.model.compile.views import compile_filters, compile_views
from trellis.model.entity import Entity, Features, Rule, Unique
from trellis.model.field import Field
from trellis.model.text import NO_TEXT

TITLE_NAMES = ("name", "title", "subject", "label", "number", "code")


def compile_entity(ctx: Context, types: Types, draft: EntityDraft) -> Entity:
    """One entity."""
    item = draft.item
    fields: dict[str, Field] = {}
    for key, field in draft.fields.items():
        made = compile_field(ctx, types, draft, field)
        if made is not None:
            fields[key] = made
    for name in [k for k in SYSTEM_FIELDS if k in fields]:  # last, whatever came later
        fields[name] = fields.pop(name)
    title, title_field = _title(ctx, types, draft, fields)
    uniques = _uniques(ctx, types, draft)
    page = item.get("page")
    label = ctx.text(item, "label", humanize(draft.key))
    module = item.get("module")
    if module is not None and module.text not in ctx.configuration.of("module"):
        ctx.unknown("module", module, ctx.configuration.of("module"), "E316")
    return Entity(
        key=draft.key,
        label=label,
        plural=ctx.text(item, "plural", f"{label.source}s" if item.get("plural") is None else ""),
        fields=fields,
        icon=item.word("icon", "box"),
        color=item.word("color"),
        module=item.word("module") or None,
        description=ctx.text(item, "description") or NO_TEXT,
        title=title,
        title_field=title_field,
        natural_key=_natural_key(ctx, types, draft, fields, uniques),
        part_of=draft.parent,
        parent_field=draft.parent_field,
        owner_field=next((f.key for f in fields.values() if f.role == "owner"), None),
        rate_date=_rate_date(ctx, draft, fields),
        inverses=draft.inverses,
        rules=_rules(ctx, types, draft),
        uniques=uniques,
        indexes=_indexes(ctx, types, draft),
        dedupe=compile_dedupe(ctx, draft),
        merge=item.flag("merge", True),
        filters=compile_filters(ctx, types, draft),
        views=compile_views(ctx, types, draft, fields, title_field),
        form=compile_form(ctx, types, draft, fields),
        forms=compile_forms(ctx, types, draft, fields),
        quick_create=_fields(ctx, draft, item.get("quick_create")) or _quick_create(fields, title_field),
        highlights=_paths(ctx, types, draft, page.get("highlights") if page is not None else None),
        related=compile_related(ctx, types, draft, page),
        timeline=_timeline(ctx, draft, page, fields),
        pipelines=compile_pipelines(ctx, types, draft),
        features=_features(item.get("features")),
        purge_after=purge_after(ctx, item.get("bin")),
        was=item.word("was") or None,
        internal=draft.key in INTERNAL,
    )


def _rate_date(ctx: Context, draft: EntityDraft, fields: Mapping[str, Field]) -> str | None:
    """The date field whose exchange rates hold for the entity's money."""
    item = draft.item.get("rate_date")
    if item is None:
        return None
    field = fields.get(item.text)
    if field is None:
        if item.text not in draft.fields:
            ctx.unknown("field", item, [k for k, f in fields.items() if _is_date(f)], "E304")
        return None
    if not _is_date(field):
        ctx.problem(
            "E304", phrase("'{name}' is no date", name=item.text), item, "name a date or datetime field of the entity"
        )
        return None
    return field.key


def _is_date(field: Field) -> bool:
    return field.type.formula_type().kind in ("date", "datetime")


def _title(
    ctx: Context, types: Types, draft: EntityDraft, fields: Mapping[str, Field]
) -> tuple[Formula | None, str | None]:
    written = draft.item.get("title")
    scope = types.scope(draft.key)
    if written is not None and "{" in written.text:
        return template(ctx, written, scope), None
    if written is not None:
        name = written.text
        if not check_path(ctx, types, draft, written, name):
            return None, None
    else:
        texts = [k for k, f in fields.items() if not f.system and f.type.name in ("text", "name", "sequence", "email")]
        name = next((n for n in TITLE_NAMES if n in fields), None) or next(iter(texts), "id")
    at = written or draft.item
    formula = template(ctx, at.plain("{" + name + "}"), scope)
    return formula, name if name in fields and name != "id" else None


def _natural_key(
    ctx: Context, types: Types, draft: EntityDraft, fields: Mapping[str, Field], uniques: tuple[Unique, ...]
) -> str | None:
    written = draft.item.get("key")
    if written is not None:
        if written.text in fields:
            return written.text
        ctx.unknown("field", written, fields, "E304")
        return None
    unique = next((f.key for f in fields.values() if f.unique), None)
    if unique is None:
        unique = next((u.fields[0] for u in uniques if len(u.fields) == 1), None)
    return unique or next((f.key for f in fields.values() if f.type.name == "sequence"), None)


def _rules(ctx: Context, types: Types, draft: EntityDraft) -> tuple[Rule, ...]:
    found = []
    scope = types.scope(draft.key, old=record_of(draft.key))
    rules = draft.item.get("rules")
    for key, item in rules.entries() if rules is not None else ():
        check = condition(ctx, item.get("check"), scope)
        text = ctx.text(item, "message", humanize(key), draft.ancestors)
        written = item.get("message")
        message = template(ctx, written, scope) if written is not None else None
        if message is None:
            message = template(ctx, item.plain(text.source.replace("{", "{{")), scope)
        field = item.get("field")
        if field is not None and field.text not in draft.fields:
            ctx.unknown("field", field, draft.fields, "E304")
        if check is not None and message is not None:
            found.append(Rule(key, check, message, text, field.text if field is not None else None))
    return tuple(found)


def _uniques(ctx: Context, types: Types, draft: EntityDraft) -> tuple[Unique, ...]:
    found = []
    unique = draft.item.get("unique")
    for key, item in unique.entries() if unique is not None else ():
        listed = item if isinstance(item.data, list) else item.get("fields")
        fields = _fields(ctx, draft, listed)
        message = ctx.text(item, "message", ancestors=draft.ancestors) if isinstance(item.data, dict) else NO_TEXT
        case = item.flag("case", True)
        if fields:
            found.append(Unique(key, fields, case, message or None))
    return tuple(found)


def _indexes(ctx: Context, types: Types, draft: EntityDraft) -> dict[str, tuple[str, ...]]:
    indexes = draft.item.get("indexes")
    return {k: _fields(ctx, draft, i) for k, i in (indexes.entries() if indexes is not None else ())}


def _fields(ctx: Context, draft: EntityDraft, item: Item | None) -> tuple[str, ...]:
    found = []
    for each in item.each() if item is not None else ():
        if each.text in draft.fields:
            found.append(each.text)
        else:
            ctx.unknown("field", each, draft.fields, "E304")
    return tuple(found)


def _paths(ctx: Context, types: Types, draft: EntityDraft, item: Item | None) -> tuple[str, ...]:
    return tuple(i.text for i in (item.each() if item is not None else ()) if check_path(ctx, types, draft, i, i.text))


def _quick_create(fields: Mapping[str, Field], title: str | None) -> tuple[str, ...]:
    wanted = [title] if title and fields[title].is_writable and fields[title].type.name != "sequence" else []
    wanted += [
        f.key for f in fields.values() if f.required and f.is_writable and f.default is None and f.key not in wanted
    ]
    return tuple(wanted)


def _timeline(ctx: Context, draft: EntityDraft, page: Item | None, fields: Mapping[str, Field]) -> tuple[str, ...]:
    timeline = page.get("timeline") if page is not None else None
    listed = timeline.get("fields") if timeline is not None and isinstance(timeline.data, dict) else timeline
    if listed is None:
        return (*(f.key for f in fields.values() if f.audit and not f.system), *draft.inverses)
    found = []
    for each in listed.each():
        if each.text in draft.fields or each.text in draft.inverses:  # a list of parts: what happens to them
            found.append(each.text)
        else:
            ctx.unknown("field", each, draft.fields, "E304")
    return tuple(found)


def _features(item: Item | None) -> Features:
    if item is None:
        return Features()
    names = ("activities", "comments", "files", "followers", "tags", "export", "api")
    given: dict[str, Any] = {n: item.flag(n, getattr(Features(), n)) for n in names}
    return Features(**given, import_=item.flag("import", True))
