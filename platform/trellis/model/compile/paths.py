"""Field paths as columns, sorts and groups write them: `amount`, `account.city`, `-close_date`."""

from __future__ import annotations

from trellis.config.phrase import phrase
from trellis.model.compile.context import Context
from trellis.model.compile.drafts import EntityDraft
from trellis.model.compile.item import Item
from trellis.model.compile.types import Types

PARTS = {
    "money": ("currency", "base", "amount"),
    "name": ("prefix", "first", "middle", "last", "suffix"),
    "address": ("street", "city", "postcode", "region", "country"),
    "location": ("latitude", "longitude"),
}


def check_path(
    ctx: Context, types: Types, draft: EntityDraft, item: Item, path: str, *, lists: bool = False, what: str = "field"
) -> bool:
    """Whether a path leads to a field; notes a problem with the names that exist at the step that fails."""
    entity: str | None = draft.key
    kind = "record"
    extra: tuple[str, ...] = ()
    steps = path.split(".")
    for index, step in enumerate(steps):
        if kind != "record" or entity is None:
            if step in PARTS.get(kind, ()) and index == len(steps) - 1:
                return True
            ctx.problem(
                "E304",
                phrase("'{names}' is no link: '{path}' leads nowhere", names=".".join(steps[:index]), path=path),
                item,
            )
            return False
        entities = [entity, *extra]
        found = next((t for e in entities if (t := types.of(e, step)) is not None), None)
        if found is None:
            known = list(dict.fromkeys(n for e in entities for n in types.names(e)))
            ctx.unknown(what, item, known, "E304", name=step, of=entity if index else "")
            return False
        if found.kind == "records" and not (lists and index == len(steps) - 1):
            last = types.field_at(entity, step) is not None
            if not (last and index == len(steps) - 1):
                ctx.problem("E304", phrase("'{name}' is a list of records; a column shows one value", name=step), item)
                return False
        kind = found.kind
        entity = found.entities[0] if found.entities else None
        extra = found.entities[1:]
        if kind == "record" and entity is None and index < len(steps) - 1:
            return True  # a link to anything: known when a record is there
    return True
