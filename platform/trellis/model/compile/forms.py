"""Forms: the sections as written, placed fields, and "Other" for what nothing shows."""

from __future__ import annotations

from collections.abc import Mapping

from trellis.config.phrase import phrase
from trellis.model.compile.context import Context, humanize
from trellis.model.compile.drafts import EntityDraft
from trellis.model.compile.formulas import condition
from trellis.model.compile.item import Item
from trellis.model.compile.types import Types
from trellis.model.field import Field
from trellis.model.form import Form, FormField, Section
from trellis.model.view import Related

_NOT_IN_OTHER = {"pipeline", "checklist", "is_stuck"}


def compile_form(ctx: Context, types: Types, draft: EntityDraft, fields: Mapping[str, Field]) -> Form:
    """The entity's form; a field that nothing shows is in the section "Other"."""
    written = draft.item.get("form")
    sections = _sections(ctx, types, draft, fields, written) if written is not None else []
    sections = _place(ctx, draft, fields, sections, written)
    shown = {f.field for s in sections for f in s.fields}
    rest = tuple(
        FormField(f.key, f.span)
        for f in fields.values()
        if f.key not in shown
        and not f.system
        and "form" not in f.hidden
        and f.key != draft.parent_field
        and not _is_from_pipeline(draft, f.key)
    )
    if rest:
        label = ctx.translated(
            "Other" if sections else "Details", "system.form.other.label" if sections else "system.form.details.label"
        )
        sections.append(Section("other", label, rest))
    return Form(tuple(sections))


def compile_forms(ctx: Context, types: Types, draft: EntityDraft, fields: Mapping[str, Field]) -> dict[str, Form]:
    """The forms for other roles."""
    found: dict[str, Form] = {}
    forms = draft.item.get("forms")
    for key, item in forms.entries() if forms is not None else ():
        roles = item.get("roles")
        for role in roles.each() if roles is not None else ():
            if role.text not in ctx.roles:
                ctx.unknown("role", role, ctx.roles, "E313")
        sections = _sections(ctx, types, draft, fields, item, leave_out=("roles",))
        found[key] = Form(tuple(sections), item.words("roles"))
    return found


def _is_from_pipeline(draft: EntityDraft, key: str) -> bool:
    keys = {item.word("field", "stage") for _, item in draft.pipelines}
    return bool(keys) and (
        key in _NOT_IN_OTHER or key in keys or key in {f"{k}_{w}" for k in keys for w in ("type", "since", "pipeline")}
    )


def _sections(
    ctx: Context,
    types: Types,
    draft: EntityDraft,
    fields: Mapping[str, Field],
    written: Item,
    leave_out: tuple[str, ...] = (),
) -> list[Section]:
    found = []
    seen: dict[str, str] = {}
    for key, item in written.entries():
        if key in leave_out or not isinstance(item.data, dict):
            continue
        listed = item.get("fields")
        members = []
        for each in listed.each() if listed is not None else ():
            member = _member(ctx, draft, fields, each)
            if member is None:
                continue
            if member.field in seen:
                ctx.problem(
                    "W605",
                    phrase(
                        "'{field}' is already in section '{section}'", field=member.field, section=seen[member.field]
                    ),
                    each,
                )
            seen.setdefault(member.field, key)
            members.append(member)
        columns = item.get("columns")
        tab = item.get("tab")
        found.append(
            Section(
                key=key,
                label=ctx.text(item, "label", humanize(key), draft.ancestors),
                fields=tuple(members),
                columns=columns.data if columns is not None and isinstance(columns.data, int) else 2,
                tab=ctx.text(item, "tab", ancestors=draft.ancestors) if tab is not None else None,
                visible_when=condition(ctx, item.get("visible_when"), types.scope(draft.key)),
            )
        )
    return found


def _member(ctx: Context, draft: EntityDraft, fields: Mapping[str, Field], item: Item) -> FormField | None:
    name = item.get("field") if isinstance(item.data, dict) else item
    if name is None:
        return None
    if name.text not in draft.fields and name.text not in draft.inverses:
        ctx.unknown("field", name, [*draft.fields, *draft.inverses], "E304")
        return None
    field = fields.get(name.text)
    span = item.word("span") if isinstance(item.data, dict) else ""
    return FormField(
        name.text, "full" if span == "full" or (not span and field is not None and field.span == "full") else "half"
    )


def _place(
    ctx: Context, draft: EntityDraft, fields: Mapping[str, Field], sections: list[Section], written: Item | None
) -> list[Section]:
    """Fields that a later layer puts into an earlier layer's form: `place: {section: basics, after: amount}`."""
    shown = {f.field for s in sections for f in s.fields}
    for key, field in draft.fields.items():
        place = field.item.get("place")
        if place is None or key in shown or key not in fields or place.get("section") is None:
            continue
        name = place.word("section")
        index = next((i for i, s in enumerate(sections) if s.key == name), None)
        if index is None:
            at = place.get("section")
            assert at is not None
            if sections:
                ctx.unknown("section", at, [s.key for s in sections], "E315")
            else:
                message = phrase("unknown section '{name}'", name=name)
                ctx.problem("E315", message, at, hint="the entity has no form yet: write one, or leave `section` out")
            continue
        members = list(sections[index].fields)
        keys = [m.field for m in members]
        after, before = place.get("after"), place.get("before")
        spot = len(members)
        for word, shift in ((after, 1), (before, 0)):
            if word is not None and word.text in keys:
                spot = keys.index(word.text) + shift
            elif word is not None:
                ctx.unknown("field in this section", word, keys, "E315")
        members.insert(spot, FormField(key, fields[key].span))
        old = sections[index]
        sections[index] = Section(old.key, old.label, tuple(members), old.columns, old.tab, old.visible_when)
    return sections


def compile_related(ctx: Context, types: Types, draft: EntityDraft, page: Item | None) -> tuple[Related, ...]:
    """The lists on the record page: those named, else every inverse list that is not a part's."""
    listed = page.get("related") if page is not None else None
    if listed is None:
        return tuple(Related(i.name, label=i.label) for i in draft.inverses.values() if not i.one)
    found = []
    for each in listed.each():
        name = each.get("list") if isinstance(each.data, dict) else each
        if name is None:
            continue
        target = _listed_entity(draft, name.text)
        if target is None:
            known = [*draft.inverses, *(f.key for f in draft.fields.values() if f.type_name == "links")]
            ctx.unknown("list", name, known, "E304")
            continue
        found.append(_related(ctx, types, draft, each, name.text, target))
    return tuple(found)


def _listed_entity(draft: EntityDraft, name: str) -> str | None:
    if name in draft.inverses:
        return draft.inverses[name].entity
    field = draft.fields.get(name)
    return field.targets[0] if field is not None and field.type_name == "links" and field.targets else None


def _related(ctx: Context, types: Types, draft: EntityDraft, item: Item, name: str, target: str) -> Related:
    columns: list[str] = []
    known = types.columns(draft.key, name)
    listed = item.get("columns") if isinstance(item.data, dict) else None
    for column in listed.each() if listed is not None else ():
        first = column.text.split(".")[0]
        if first in known or types.of(target, first) is not None:
            columns.append(column.text)
        else:
            ctx.unknown(phrase("column of {target}", target=target), column, [*types.names(target), *known], "E304")
    inverse, field = draft.inverses.get(name), draft.fields.get(name)
    label = inverse.label if inverse is not None else None
    if isinstance(item.data, dict) and item.get("label") is not None:
        label = ctx.text(item, "label", ancestors=draft.ancestors)
    elif field is not None:
        label = ctx.text(field.item, "label", humanize(name), draft.ancestors)
    when = item.get("visible_when") if isinstance(item.data, dict) else None
    return Related(name, tuple(columns), label, condition(ctx, when, types.scope(draft.key)))
