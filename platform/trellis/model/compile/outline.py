"""The outline of all entities: inherited fields, links to parents, the platform's own fields, inverse lists."""

from __future__ import annotations

import re
from itertools import islice
from typing import Any

from trellis.config.merge import item_key
from trellis.config.phrase import phrase
from trellis.config.source import Place
from trellis.model.compile.context import Context, humanize
from trellis.model.compile.drafts import EntityDraft, FieldDraft
from trellis.model.compile.item import Item
from trellis.model.entity import Inverse
from trellis.model.kinds.entity import MAX_FIELDS
from trellis.model.kinds.parts import SNAKE

SYSTEM_FIELDS: dict[str, dict[str, Any]] = {
    "id": {"type": "text", "label": "ID"},
    "created_at": {"type": "datetime", "label": "Created at"},
    "created_by": {"type": "user", "label": "Created by"},
    "updated_at": {"type": "datetime", "label": "Updated at"},
    "updated_by": {"type": "user", "label": "Updated by"},
    "deleted_at": {"type": "datetime", "label": "Deleted at"},
    "deleted_by": {"type": "user", "label": "Deleted by"},
    "version": {"type": "integer", "label": "Version"},
}
RESERVED_ENTITIES = frozenset({"meta", "reports"})
RESERVED = frozenset(SYSTEM_FIELDS) | {
    "search",
    "position",
    "record",
    "old",
    "this",
    "via",
    "me",
    "my_team",
    "is_new",
    "setting",
    "param",
    "item",
    "true",
    "false",
    "blank",
    "and",
    "or",
    "not",
    "in",
    "between",
}
INTERNAL = ("user", "team")


def outline(ctx: Context) -> None:
    """Draft every entity."""
    documents = ctx.configuration.of("entity")
    for key, document in documents.items():
        if key in RESERVED_ENTITIES:  # the API has these addresses for itself
            item = Item(dict(document.data), document.place, "", document.name)
            ctx.problem(
                "E305", phrase("'{name}' is a reserved name", name=key), item, "call the entity otherwise", at_key=True
            )
        ctx.drafts[key] = EntityDraft(key, Item(dict(document.data), document.place, "", document.name))
    for key in documents:
        _extend(ctx, ctx.drafts[key], ())
    for draft in list(ctx.drafts.values()):
        _draft_fields(ctx, draft)
    for draft in ctx.drafts.values():
        if draft.is_abstract:
            continue
        _link_to_parent(ctx, draft)
        _add_tags(draft)
        _add_system_fields(draft)
    for draft in ctx.drafts.values():
        _make_primaries(draft)
    for turn in (
        "own",
        "inherited",
        "any",
    ):  # what is written for one entity has the name before what comes with a base
        for draft in ctx.drafts.values():
            if not draft.is_abstract:
                _add_inverses(ctx, draft, turn)


def _extend(ctx: Context, draft: EntityDraft, below: tuple[str, ...]) -> None:
    """Take over what another entity has, mostly an abstract one: its fields and form before the entity's own."""
    item = draft.item.get("extends")
    if item is None or draft.ancestors:
        return
    base = ctx.drafts.get(item.text)
    if base is None:
        ctx.unknown("entity", item, ctx.drafts)
        return
    if base.key in (*below, draft.key):
        ctx.problem("E302", phrase("extends itself: {way}", way=" → ".join((*below, draft.key, base.key))), item)
        return
    _extend(ctx, base, (*below, draft.key))
    draft.ancestors = (base.key, *base.ancestors)
    own = draft.item.data.get("fields")
    given = base.item.data.get("fields")
    draft.inherited = frozenset(given if isinstance(given, dict) else ()) - frozenset(
        own if isinstance(own, dict) else ()
    )
    data, place = dict(draft.item.data), draft.item.place
    children = dict(place.children)
    for name in ("fields", "form"):
        if isinstance(base.item.data.get(name), dict):
            data[name], children[name] = _under(base.item, draft.item, name)
            if name == "form":
                data[name], children[name] = _without_moved(data[name], children[name], draft.item.data.get("form"))
    for name in ("title", "icon", "rules", "filters", "unique", "quick_create", "indexes", "dedupe"):
        if name in base.item.data and name not in data:
            data[name], children[name] = base.item.data[name], base.item.place.children[name]
    draft.item = Item(data, place.holding(children), "", draft.item.root)


def _under(base: Item, own: Item, name: str) -> tuple[Any, Place]:
    """The base's mapping with the entity's own entries over and after it."""
    data, place = dict(base.data[name]), base.place.children[name]
    children = dict(place.children)
    mine = own.data.get(name)
    if not isinstance(mine, dict):
        return data, place.holding(children)
    own_place = own.place.children[name]
    for key, value in mine.items():
        if key in data and isinstance(data[key], dict) and isinstance(value, dict):
            data[key] = {**data[key], **value}
            children[key] = own_place.children[key].holding(
                {**children[key].children, **own_place.children[key].children}
            )
        elif key in data and value is None:
            del data[key]
            del children[key]
        else:
            data[key], children[key] = value, own_place.children[key]
    return data, own_place.holding(children)


def _without_moved(form: dict[str, Any], place: Place, own: Any) -> tuple[dict[str, Any], Place]:
    """The inherited sections without the fields that the entity's own sections show; empty ones go."""
    sections = [s for s in own.values() if isinstance(s, dict)] if isinstance(own, dict) else []
    moved = {item_key(f) for s in sections if isinstance(s.get("fields"), list) for f in s["fields"]}
    found: dict[str, Any] = {}
    children: dict[str | int, Place] = {}
    for key, section in form.items():
        where = place.children[key]
        listed = section.get("fields") if isinstance(section, dict) else None
        if isinstance(listed, list) and not (isinstance(own, dict) and key in own):
            kept = [i for i, f in enumerate(listed) if item_key(f) not in moved]
            if not kept:
                continue
            inner = where.children["fields"]
            inner = inner.holding({new: inner.children[old] for new, old in enumerate(kept)})
            section = {**section, "fields": [listed[i] for i in kept]}
            where = where.holding({**where.children, "fields": inner})
        found[key], children[key] = section, where
    return found, place.holding(children)


def _draft_fields(ctx: Context, draft: EntityDraft) -> None:
    fields = draft.item.get("fields")
    listed = islice(fields.entries(), MAX_FIELDS) if fields is not None else ()
    for key, item in listed:
        if not isinstance(item.data, dict) or not re.match(SNAKE, key):
            continue  # the check of shapes has said so
        if key in RESERVED:
            ctx.problem(
                "E305",
                phrase("'{name}' is a reserved name", name=key),
                item,
                "`trellis schema` lists them",
                at_key=True,
            )
            continue
        field = FieldDraft(draft.key, key, item)
        if field.type_name == "link" and field.targets and field.targets[0] in draft.ancestors:
            field.given = {"to": draft.key}  # a tree in an abstract entity is a tree of each that extends it
        draft.fields[key] = field


def made_field(draft: EntityDraft, key: str, at: Item, **given: Any) -> FieldDraft:
    """A field of the platform's own, placed where the YAML asks for it."""
    place = Place(at.place.source, at.place.line, at.place.column)
    return FieldDraft(draft.key, key, Item({}, place, f"fields.{key}", draft.item.root), given)


def _link_to_parent(ctx: Context, draft: EntityDraft) -> None:
    part_of = draft.item.get("part_of")
    if part_of is None:
        return
    parent = ctx.drafts.get(part_of.text)
    if parent is None or parent.is_abstract:
        ctx.unknown("entity", part_of, (k for k, d in ctx.drafts.items() if not d.is_abstract))
        return
    line = [draft.key]
    above: EntityDraft | None = parent
    while above is not None and above.key not in line:
        line.append(above.key)
        name = above.item.get("part_of")
        above = ctx.drafts.get(name.text) if name is not None else None
    if above is not None:
        ctx.problem("E302", phrase("is part of itself: {way}", way=" → ".join((*line, above.key))), part_of)
        return
    draft.parent = parent.key
    links = [f for f in draft.fields.values() if f.type_name == "link" and parent.key in f.targets]
    link = next((f for f in links if f.key == parent.key), links[0] if links else None)
    if link is None:
        link = made_field(
            draft,
            parent.key,
            part_of,
            type="link",
            to=parent.key,
            label=parent.item.word("label", humanize(parent.key)),
        )
        draft.fields = {parent.key: link, **draft.fields}
    # the rows of a part live and die with their parent
    link.given = {**link.given, "required": True, "on_delete": "cascade"}
    if "inverse" not in link.item.data:
        taken = {
            f.item.word("inverse") for d in ctx.drafts.values() for f in d.fields.values() if parent.key in f.targets
        }
        taken |= {
            str(f.given.get("inverse"))
            for d in ctx.drafts.values()
            for f in d.fields.values()
            if parent.key in f.targets
        }
        link.given["inverse"] = "lines" if "lines" not in taken else f"{draft.key}s"
    draft.parent_field = link.key
    draft.fields.setdefault("position", made_field(draft, "position", part_of, type="integer", label="Position"))
    draft.fields["position"].system = True


def _add_tags(draft: EntityDraft) -> None:
    """`features: {tags: true}`: a field of free words, where the entity has none of its own."""
    features = draft.item.get("features")
    asked = features.get("tags") if features is not None else None
    has_own = "tags" in draft.fields or any(field.type_name == "tags" for field in draft.fields.values())
    if asked is not None and asked.data is True and not has_own:
        draft.fields["tags"] = made_field(draft, "tags", asked, type="tags", label="Tags")


def _add_system_fields(draft: EntityDraft) -> None:
    for key, given in SYSTEM_FIELDS.items():
        field = made_field(draft, key, draft.item, **given)
        field.system = True
        draft.fields[key] = field


def _make_primaries(draft: EntityDraft) -> None:
    """`primary: main_contact` on a links field: the link that keeps the main one, made where it is missing."""
    for field in list(draft.fields.values()):
        name = field.item.get("primary") if field.type_name == "links" else None
        if name is not None and name.text not in draft.fields and field.targets:
            given = {"type": "link", "to": field.targets[0], "on_delete": "clear", "label": humanize(name.text)}
            draft.fields[name.text] = made_field(draft, name.text, name, **given)


def _add_inverses(ctx: Context, draft: EntityDraft, turn: str) -> None:
    concrete = [k for k, d in ctx.drafts.items() if not d.is_abstract]
    for field in list(draft.fields.values()):
        if field.type_name not in ("link", "links", "any_link", "user", "team") or field.system:
            continue
        given = "inherited" if field.key in draft.inherited else "own"
        if turn != ("any" if field.targets == ("*",) else given):
            continue
        to = field.item.get("to")
        targets: list[str] = []
        for target in field.targets:
            if target == "*" and field.type_name == "any_link":
                targets += concrete
            elif target in ctx.drafts and not ctx.drafts[target].is_abstract:
                targets.append(target)
            else:
                ctx.unknown("entity", to or field.item, concrete, name=target)
        inverse = field.item.get("inverse")
        name = inverse.text if inverse is not None else str(field.given.get("inverse", ""))
        for target in targets if name else ():
            add_inverse(ctx, draft, field, ctx.drafts[target], name, inverse or field.item)


def add_inverse(
    ctx: Context, draft: EntityDraft, field: FieldDraft, target: EntityDraft, name: str, item: Item
) -> None:
    """Give the far side of a link its list."""
    other = target.inverses.get(name)
    if (other is not None or name in target.fields) and field.key in draft.inherited:
        # two entities that extend the same one cannot both have its list's name
        free = (n for n in (f"{draft.key}s", f"{draft.key}_{field.key}") if n not in {*target.inverses, *target.fields})
        name = next(free, name)
        other = target.inverses.get(name)
    if other is not None or name in target.fields:
        holder = (
            f"{other.entity}.{other.field}" if other is not None else phrase("a field of {target}", target=target.key)
        )
        if field.item.words("to") != ("*",):
            ctx.problem(
                "E307",
                phrase("'{name}' is already the name of {holder}", name=name, holder=holder),
                item,
                "choose another `inverse`",
            )
        return
    label = ctx.text(field.item, "inverse_label")
    if not label:
        plural = ctx.text(draft.item, "plural", f"{draft.item.word('label', humanize(draft.key))}s", draft.ancestors)
        label = (
            plural
            if name in (draft.key, f"{draft.key}s", "lines", "items") or _same(name, plural.source)
            else ctx.translated(humanize(name), f"{field.item.full_path}.inverse")
        )
    one = field.type_name in ("link", "user", "team") and field.item.flag("one")
    target.inverses[name] = Inverse(name, draft.key, field.key, label, one=one, many=field.type_name == "links")


def _same(name: str, plural: str) -> bool:
    return humanize(name).casefold() == plural.casefold()
