"""Records that are probably the same: looked for on create, edit and import, by the entity's `dedupe` rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from trellis.formula.texts import is_similar
from trellis.formula.types import Ref
from trellis.model.entity import Dedupe
from trellis.model.field import Field
from trellis.records import search, shown
from trellis.records.catalog import system_scope
from trellis.records.draft import Draft
from trellis.records.refusal import Fault
from trellis.storage.names import short

if TYPE_CHECKING:
    from trellis.records.session import Session

CANDIDATES = 300


def check(session: Session, drafts: Sequence[Draft]) -> None:
    """Note each rule that finds a record like a draft: a fault where it blocks, a warning where it warns."""
    for draft in drafts:
        for rule in draft.entity.dedupe:
            names = [_name(m) for m in rule.match]
            if not any(draft.has_changed(n) for n in names):
                continue
            found = _like(session, draft, rule)
            if found is not None:
                fault = Fault("duplicate", _message(found), names[0], {**found, "rule": rule.key})
                if rule.action == "block":
                    draft.fault(fault)
                else:
                    draft.warnings.append(fault)


def _name(match: str) -> str:
    return match.removeprefix("similar(").removesuffix(")").strip()


def _message(found: dict[str, Any]) -> str:
    if found["title"]:
        return "This looks like “{title}”, which is already there."
    return "There is already a record like this."


def _like(session: Session, draft: Draft, rule: Dedupe) -> dict[str, Any] | None:
    """A live record that matches in everything; its title only for one who may read it."""
    scope = system_scope(session, draft.entity.key)
    table = scope.alias
    reach = session.permit.reach("read", scope)
    conditions: list[sa.ColumnElement[bool]] = [table.c.deleted_at.is_(None), table.c.id != draft.record.id]
    alike: list[tuple[sa.ColumnElement[Any], str]] = []
    for match in rule.match:
        field = draft.entity.fields[_name(match)]
        value = field.type.to_columns(draft.value(field.key)).get("") if field.is_stored else None
        if value is None:
            return None
        column = table.c[short(field.key)]
        if match.startswith("similar(") and isinstance(value, str):
            alike.append((column, value))
            conditions.append(column.is_not(None))
        else:
            conditions.append(_same(field, column, value))
        if isinstance(value, str) and field.search:
            conditions.append(_shares_words(table, field, value, similar=match.startswith("similar(")))
    readable = sa.true() if reach is None else sa.func.coalesce(reach, sa.false())
    columns: list[Any] = [table.c.id, readable, *(c for c, _ in alike)]
    found: sa.Select[Any] = sa.select(*columns).select_from(scope.joined()).where(*conditions).limit(CANDIDATES)
    for id, may_read, *texts in map(tuple, session.execute(found).all()):
        if all(is_similar(str(text), wanted) for text, (_, wanted) in zip(texts, alike, strict=True)):
            title = shown.title(session, Ref(draft.entity.key, id)) if may_read else ""
            return {"title": title, "id": str(id) if may_read else ""}
    return None


def _same(field: Field, column: sa.ColumnElement[Any], value: Any) -> sa.ColumnElement[bool]:
    """Equality: of a free text case and outer blanks do not count, unless an index would be lost by it."""
    is_free = field.type.name in ("text", "long_text") and not field.unique and not field.index
    same: sa.ColumnElement[bool] = column == value
    if is_free and isinstance(value, str):
        same = sa.func.lower(sa.func.btrim(column)) == value.strip().lower()
    return same


def _shares_words(table: sa.FromClause, field: Field, value: str, *, similar: bool) -> sa.ColumnElement[bool]:
    """An index's help: a like record shares a word, or its beginning, with this one."""
    words = search.tokens([field.type.search_text(value)])[:12]
    if not words:
        return sa.true()
    return search.has_any(table.c.search, [w[:4] if similar else w for w in words])
