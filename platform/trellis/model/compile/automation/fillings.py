"""What `set:` gives to the fields of a record."""

from __future__ import annotations

from collections.abc import Mapping

from trellis.config.phrase import phrase
from trellis.config.problem import did_you_mean
from trellis.model.compile.drafts import FieldDraft
from trellis.model.compile.formulas import given, said
from trellis.model.compile.item import Item
from trellis.model.compile.names import Names
from trellis.model.compile.scope import EntityScope
from trellis.model.given import Given

# whose plain values can be judged here; a link's is a natural key, which only the records know
_PLAIN = frozenset(
    "choice choices boolean integer decimal money percent rating duration date datetime time email url color".split()
)
# what people read, rather than what programs look up
_READ = frozenset(("long_text", "rich_text"))


def fillings(names: Names, item: Item | None, entity: str | None, scope: EntityScope) -> Mapping[str, Given]:
    """The values by field; without an entity, whatever is named."""
    draft = names.ctx.drafts[entity] if entity is not None else None
    found = {}
    for key, each in item.entries() if item is not None else ():
        field = draft.fields.get(key) if draft is not None else None
        if draft is not None and field is None and key not in draft.inverses:
            hint = did_you_mean(key, draft.fields)
            names.ctx.problem(
                "E304", phrase("unknown field '{key}' of {draft}", key=key, draft=draft.key), each, hint, at_key=True
            )
        elif field is not None and field.is_derived and field.item.get("lookup") is None:
            names.ctx.problem(
                "E325",
                phrase("'{key}' of {entity} is computed: it cannot be set", key=key, entity=field.entity),
                each,
                at_key=True,
            )
        else:
            found[key] = _filling(names, each, field, scope)
    return found


def _filling(names: Names, item: Item, field: FieldDraft | None, scope: EntityScope) -> Given:
    expected = names.types.formula_type(field) if field is not None else None
    is_text = isinstance(item.data, str) and not item.text.startswith("=")
    is_spoken = field is not None and (field.type_name in _READ or _is_title(names, field))
    made = said(names.ctx, item, scope, is_spoken=is_spoken) if is_text else given(names.ctx, item, scope, expected)
    is_plain = made.formula is None and made.parts is None and item.data not in (None, "")
    if field is not None and is_plain and field.type_name in _PLAIN and not _is_formula(item):
        names.types.constant(field, item)
    return made


def _is_title(names: Names, field: FieldDraft) -> bool:
    return names.ctx.drafts[field.entity].item.word("title") == field.key


def _is_formula(item: Item) -> bool:
    return isinstance(item.data, str) and ("{" in item.text or item.text.startswith("="))
