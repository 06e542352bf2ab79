"""What fits its shape but can hardly be meant: bounds that cross, a board by a text, a field nobody can fill in."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from trellis.config.phrase import phrase
from trellis.formula.functions.registry import functions
from trellis.model.compile.choices import check_color
from trellis.model.compile.context import Context
from trellis.model.compile.drafts import EntityDraft, FieldDraft
from trellis.model.compile.item import Item
from trellis.model.compile.types import Types

BOUNDS = (("min", "max"), ("min_length", "max_length"), ("min_items", "max_items"))
_CALL = re.compile(r"\s*([a-z_]+)\(.*\)\s*([-+*/].*)?\Z", re.DOTALL)
_MASK = re.compile(r"\{([^{}]*)\}")
_DATES = ("yyyy", "yy", "mm", "dd")
# what the parts of a view need, by the part: the names of field types that serve, and how they are called
_NEEDS: dict[str, dict[str, tuple[tuple[str, ...], str]]] = {
    "kanban": {
        "group": (
            ("choice", "link", "user", "team"),
            phrase("a board is grouped by a choice, a link, a user or a team"),
        )
    },
    "calendar": {
        "start": (("date", "datetime"), phrase("a calendar needs a date or a datetime")),
        "end": (("date", "datetime"), phrase("a calendar needs a date or a datetime")),
        "all_day": (("boolean",), phrase("this needs a boolean")),
    },
    "map": {"location": (("address", "location"), phrase("a map needs an address or a location"))},
}


def check_slips(ctx: Context, types: Types) -> None:
    """Check every entity for what can hardly be meant."""
    for document in ctx.configuration.of("pipeline").values():
        stages = Item(dict(document.data), document.place, "", document.name).get("stages")
        for _, stage in stages.entries() if stages is not None else ():
            check_color(ctx, stage.get("color"))
    for draft in ctx.drafts.values():
        check_color(ctx, draft.item.get("color"))
        for field in draft.owners[1:]:
            at = field.item.get("role") or field.item
            ctx.problem("E323", phrase("'{name}' is the owner already: a record has one", name=draft.owners[0].key), at)
        for field in draft.fields.values():
            _field(ctx, draft, field)
        if not draft.is_abstract:
            _views(ctx, types, draft)


def _field(ctx: Context, draft: EntityDraft, field: FieldDraft) -> None:
    item = field.item
    for low, high in BOUNDS:
        least, most = _number(item.get(low)), _number(item.get(high))
        if least is not None and most is not None and least > most:
            at = item.get(high) or item
            ctx.problem(
                "E214",
                phrase(
                    "'{high}' is less than '{low}': nothing fits between {least} and {most}",
                    high=high,
                    low=low,
                    least=least,
                    most=most,
                ),
                at,
            )
    if item.flag("required") and _is_nowhere(item) and item.get("default") is None and not field.is_derived:
        hint = "give it a default, or leave `required` to a rule"
        at = item.get("hidden") or item
        ctx.problem(
            "W610", phrase("'{name}' is required, and hidden where people would fill it in", name=field.key), at, hint
        )
    default = item.get("default")
    call = _CALL.match(default.text) if default is not None else None
    if default is not None and call is not None and call[1] in functions() and not ctx.has_problem_in(default):
        said = default.text.strip()
        hint = phrase("write ={formula} for the formula, =={formula} is the text with =", formula=said)
        ctx.problem("W611", "this is the text as it stands, not a formula", default, hint)
    if (mask := item.get("mask")) is not None and field.type_name == "sequence":
        for place in _MASK.findall(mask.text):
            if place.strip("0#") and place.lower() not in _DATES and place.split(".")[0] not in draft.fields:
                ctx.unknown("part of the mask", mask, [*_DATES, *draft.fields], "E304", name=place)
    _place(ctx, draft, item.get("place"))


def _place(ctx: Context, draft: EntityDraft, place: Item | None) -> None:
    for at in (place, place.get("column") if place is not None else None):
        for word in ("after", "before"):
            named = at.get(word) if at is not None else None
            if named is not None and named.text.split(".")[0] not in (*draft.fields, *draft.inverses):
                ctx.unknown("field", named, [*draft.fields, *draft.inverses], "E304")


def _number(item: Item | None) -> Decimal | None:
    try:
        return Decimal(item.text) if item is not None and item.text else None
    except InvalidOperation:
        return None


def _is_nowhere(item: Item) -> bool:
    hidden = item.get("hidden")
    return hidden is not None and (hidden.data is True or any(i.text == "form" for i in hidden.each()))


def _views(ctx: Context, types: Types, draft: EntityDraft) -> None:
    views = draft.item.get("views")
    for _, view in views.entries() if views is not None else ():
        for word, (serve, hint) in _NEEDS.get(view.word("type", "list"), {}).items():
            named = view.get(word)
            kind = _type_at(types, draft, named)
            if named is not None and kind is not None and kind not in serve:
                ctx.problem("E324", phrase("'{named}' is a {kind}", named=named.text, kind=kind), named, hint)
        _totals(ctx, types, draft, view.get("totals"))
        _hide(ctx, types, draft, view)


def _type_at(types: Types, draft: EntityDraft, named: Item | None) -> str | None:
    field = types.field_at(draft.key, named.text) if named is not None else None
    found = types.type_of(field) if field is not None else None
    return found.name if found is not None else None


def _totals(ctx: Context, types: Types, draft: EntityDraft, totals: Item | None) -> None:
    for path, how in totals.entries() if totals is not None else ():
        field = types.field_at(draft.key, path)
        found = types.type_of(field) if field is not None else None
        if found is None:
            continue
        kind = found.formula_type().kind
        if how.text in ("sum", "avg") and kind not in ("number", "money", "duration"):
            ctx.problem(
                "E324",
                phrase("'{path}' is a {found}", path=path, found=found.name),
                how,
                phrase("{how} adds numbers, money and lengths of time", how=how.text),
            )


def _hide(ctx: Context, types: Types, draft: EntityDraft, view: Item) -> None:
    group, hide = view.get("group"), view.get("hide")
    field = types.field_at(draft.key, group.text) if group is not None else None
    found = types.type_of(field) if field is not None else None
    options = getattr(found, "options", None)
    if hide is None or options is None:
        return
    known = [choice.key for choice in options()]
    for each in hide.each():
        if known and each.text not in known:
            ctx.unknown("column of the board", each, known, "E306")
