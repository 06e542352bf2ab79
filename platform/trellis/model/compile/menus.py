"""Modules and menus; without a menu the entities stand in the groups of their modules."""

from __future__ import annotations

from collections.abc import Mapping

from trellis.model.compile.context import Context, humanize
from trellis.model.compile.item import Item
from trellis.model.entity import Entity
from trellis.model.model import MenuGroup, MenuItem, Module
from trellis.model.text import Text

_ICONS = {"report": "chart-bar", "dashboard": "layout-dashboard"}


def compile_modules(ctx: Context) -> dict[str, Module]:
    """The modules in their order."""
    found = []
    for key, document in ctx.configuration.of("module").items():
        item = Item(dict(document.data), document.place, "", document.name)
        order = item.get("order")
        number = order.data if order is not None and isinstance(order.data, int) else 100
        found.append(Module(key, ctx.text(item, "label", humanize(key)), item.word("icon", "box"), number))
    return {m.key: m for m in sorted(found, key=lambda m: m.order)}


def compile_menus(
    ctx: Context, entities: Mapping[str, Entity], modules: Mapping[str, Module]
) -> dict[str, tuple[MenuGroup, ...]]:
    """Every menu; `main` is there without being written."""
    found: dict[str, tuple[MenuGroup, ...]] = {}
    for key, document in ctx.configuration.of("menu").items():
        item = Item(dict(document.data), document.place, "", document.name)
        groups = item.get("groups")
        found[key] = tuple(
            _group(ctx, entities, k, g)
            for k, g in (groups.entries() if groups is not None else ())
            if isinstance(g.data, dict)
        )
    if "main" not in found:
        found["main"] = _by_module(entities, modules)
    return found


def _group(ctx: Context, entities: Mapping[str, Entity], key: str, item: Item) -> MenuGroup:
    listed = item.get("items")
    items = [_item(ctx, entities, each) for each in (listed.each() if listed is not None else ())]
    return MenuGroup(key, ctx.text(item, "label", humanize(key)), tuple(i for i in items if i is not None))


def _item(ctx: Context, entities: Mapping[str, Entity], item: Item) -> MenuItem | None:
    kind, target = "entity", item
    if isinstance(item.data, dict):
        kind = next((k for k in ("report", "dashboard", "pool", "entity") if k in item.data), "")
        found = item.get(kind)
        if found is None:
            return None
        target = found
    label = ctx.text(item, "label") if isinstance(item.data, dict) else Text("")
    icon = item.word("icon") if isinstance(item.data, dict) else ""
    if kind == "entity":
        return _entity_item(ctx, entities, target, label, icon)
    documents = ctx.configuration.of(kind)
    document = documents.get(target.text)
    if document is None:
        ctx.unknown(kind, target, documents, "E316")
        return None
    titled = Item(dict(document.data), document.place, "", document.name)
    if kind == "pool":
        return _pool_item(ctx, entities, titled, label, icon)
    return MenuItem(
        kind,
        target.text,
        label or ctx.text(titled, "label", humanize(target.text)),
        icon or titled.word("icon", _ICONS[kind]),
    )


def _entity_item(ctx: Context, entities: Mapping[str, Entity], item: Item, label: Text, icon: str) -> MenuItem | None:
    name, _, view = item.text.partition(".")
    entity = entities.get(name)
    if entity is None:
        ctx.unknown("entity", item, entities, name=name)
        return None
    if view and view not in entity.views:
        ctx.unknown("view", item, entity.views, "E316", name=view)
        return None
    return MenuItem("entity", name, label or entity.plural, icon or entity.icon, view or None)


def _pool_item(ctx: Context, entities: Mapping[str, Entity], pool: Item, label: Text, icon: str) -> MenuItem | None:
    """The list of what lies in a pool; nothing while the pool is off."""
    key, entity = pool.word("pool"), entities.get(pool.word("entity"))
    if entity is None or key not in entity.views:
        return None
    return MenuItem("entity", entity.key, label or entity.views[key].label, icon or "pool", key)


def _by_module(entities: Mapping[str, Entity], modules: Mapping[str, Module]) -> tuple[MenuGroup, ...]:
    groups: dict[str, list[MenuItem]] = {key: [] for key in modules}
    for entity in entities.values():
        if not entity.internal and entity.part_of is None:
            groups.setdefault(entity.module or "", []).append(
                MenuItem("entity", entity.key, entity.plural, entity.icon)
            )
    return tuple(
        MenuGroup(
            key or "other", modules[key].label if key in modules else Text(humanize(key or "records")), tuple(items)
        )
        for key, items in groups.items()
        if items
    )
