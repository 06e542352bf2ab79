"""Choices: shared lists, lists written in the field, lists that the platform knows."""

from __future__ import annotations

from trellis.config.phrase import phrase
from trellis.config.problem import did_you_mean
from trellis.model.choice import COLORS, Choice
from trellis.model.compile.context import Context, humanize
from trellis.model.compile.item import Item
from trellis.model.known import KNOWN_LISTS
from trellis.model.text import Text


def compile_choices(ctx: Context) -> None:
    """Every `choices:` document."""
    for key, document in ctx.configuration.of("choices").items():
        item = Item(dict(document.data), document.place, "", document.name)
        values = item.get("values")
        choices = read_choices(ctx, values) if values is not None else ()
        ctx.choices[key] = sort_choices(choices, item.word("sort"))


def sort_choices(choices: tuple[Choice, ...], by: str) -> tuple[Choice, ...]:
    """Choices by label or value; as written for anything else."""
    descending = by.startswith("-")
    match by.removeprefix("-"):
        case "label":
            return tuple(sorted(choices, key=lambda c: str(c.label).casefold(), reverse=descending))
        case "value":
            return tuple(sorted(choices, key=lambda c: c.key, reverse=descending))
    return choices


def field_choices(ctx: Context, item: Item | None) -> tuple[Choice, ...] | str:
    """What a field's `choices:` means: a shared list, `{from: …}`, or the values themselves."""
    if item is None:
        return ()
    if isinstance(item.data, str):
        if item.data in ctx.choices:
            return ctx.choices[item.data]
        if item.data in KNOWN_LISTS:
            return item.data
        ctx.unknown("choices", item, ctx.choices, "E306")
        return ()
    if isinstance(item.data, dict) and "from" in item.data and len(item.data) == 1:
        known = item.word("from")
        if known == "entities":
            return tuple(
                Choice(k, ctx.text(d.item, "label", humanize(k))) for k, d in ctx.drafts.items() if not d.is_abstract
            )
        if known == "roles":
            return role_choices(ctx)
        return known if known in KNOWN_LISTS else ()
    return read_choices(ctx, item)


def role_choices(ctx: Context) -> tuple[Choice, ...]:
    """The roles, as choices."""
    found = []
    for key in sorted(ctx.roles):
        document = ctx.configuration.of("role").get(key)
        item = Item(dict(document.data), document.place, "", document.name) if document is not None else None
        found.append(Choice(key, ctx.text(item, "label", humanize(key)) if item is not None else Text(humanize(key))))
    return tuple(found)


def read_choices(ctx: Context, item: Item) -> tuple[Choice, ...]:
    """Values from a list (`[low, {high: {…}}]`) or a mapping (`{low: Low, high: {…}}`)."""
    found: dict[str, Choice] = {}
    for key, value in _values(item):
        if key in found:
            ctx.problem("E213", phrase("the choice '{name}' is there twice", name=key), value)
            continue
        found[key] = _choice(ctx, key, value)
    return tuple(found.values())


def _values(item: Item) -> list[tuple[str, Item]]:
    if isinstance(item.data, dict):
        return list(item.entries())
    pairs: list[tuple[str, Item]] = []
    for each in item.each():
        if isinstance(each.data, dict):
            pairs += [(k, Item(v.data, v.place, f"{item.path}.{k}", item.root)) for k, v in each.entries()]
        else:
            pairs.append((each.text, each))
    return pairs


def _choice(ctx: Context, key: str, item: Item) -> Choice:
    path = item.full_path
    if isinstance(item.data, dict):
        check_color(ctx, item.get("color"))
        label = ctx.translated(item.word("label", humanize(key)), f"{path}.label", path)
        return Choice(key, label, color=item.word("color"), was=item.word("was") or None)
    is_label = item.data is not None and item.place.key_line > 0
    return Choice(key, ctx.translated(item.text if is_label else humanize(key), f"{path}.label", path))


def check_color(ctx: Context, item: Item | None) -> None:
    """A colour is one of the named ones, which hold their contrast in light and dark."""
    if item is not None and item.text not in COLORS:
        hint = did_you_mean(item.text, COLORS) or phrase("one of {names}", names=list(COLORS))
        ctx.problem("E206", phrase("there is no colour '{name}'", name=item.text), item, hint)
