"""Emptying the fields of records: what is personal goes, a pseudonym stands where there has to be something."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from trellis.formula.reader import Reader
from trellis.formula.types import Ref, Value
from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.model.fields.base import Invalid
from trellis.records.deriving import rollups
from trellis.records.draft import Draft
from trellis.records.graph import StoreGraph
from trellis.records.writing import rows

if TYPE_CHECKING:
    from trellis.records.session import Session


TEXTS = frozenset({"text", "long_text", "rich_text", "email", "phone", "url", "name", "address", "location", "json"})
FILES = frozenset({"file", "image", "signature"})
FREE = TEXTS | FILES | frozenset({"list", "code", "secret", "barcode"})
"""Types that hold what somebody wrote or attached, rather than a number, a date or a choice."""


ERASED = {"en": "Erased", "zh": "已删除"}  # by the company's language: the name that stays must be a word there


def pseudonym_of(ref: Ref, language: str = "en") -> str:
    """What a person without a name is called: the same everywhere, and made of nothing of theirs."""
    return f"{ERASED.get(language.partition('-')[0], ERASED['en'])} {ref.id.hex[-8:]}"


def goes(entity: Entity, *, everything: bool) -> list[Field]:
    """The stored fields that an erasure empties: the personal ones and files; of an activity, all that was written."""
    found = []
    for field in entity.fields.values():
        if field.system or not field.is_stored or field.rollup is not None:
            continue
        if field.personal or (field.type.name in (FREE if everything else FILES)):
            found.append(field)
    return found


def personal_only(entity: Entity) -> list[Field]:
    """The personal fields of a record that merely leads to the person, such as the address of a delivery."""
    return [f for f in entity.fields.values() if f.personal and f.is_stored and not f.system and f.rollup is None]


def empty(session: Session, refs: Sequence[Ref], fields_of: Callable[[Entity], list[Field]]) -> int:
    """Empty some fields of records, with their words in the search and what is computed of them; how many changed."""
    by_entity: dict[str, list[UUID]] = {}
    for ref in refs:
        by_entity.setdefault(ref.entity, []).append(ref.id)
    done = 0
    for key, ids in by_entity.items():
        definition = session.model.entities[key]
        fields = fields_of(definition)
        if not fields:
            continue
        drafts = []
        for record in StoreGraph(session).load(key, ids):
            draft = Draft(definition, record.copy(), record, means="privacy")
            called = pseudonym_of(Ref(key, record.id), session.tenant.profile.language)
            changed = [f.key for f in fields if _replace(draft, f, called)]
            if changed:
                rows.update(session, draft, changed)
                drafts.append(draft)
                done += 1
        rollups.after_drafts(session, drafts)
    return done


def _replace(draft: Draft, field: Field, called: str) -> bool:
    """Empty a field, or put a pseudonym where there has to be something; whether it is another value then."""
    before = draft.before(field.key)
    if before is None or before == ():
        return False
    needed = field.required or field.key == draft.entity.title_field
    draft.set(field.key, substitute(field, called) if needed else None)
    return True


def substitute(field: Field, pseudonym: str) -> Value:
    """A value that its field takes and that says nothing."""
    number = pseudonym.rpartition(" ")[2]
    name = field.type.name
    given: Any = pseudonym
    if name == "name":
        given = {"last": pseudonym}
    elif name == "email":
        given = f"erased-{number}@erased.invalid"
    elif name not in ("text", "long_text", "rich_text", "code", "barcode"):
        return None
    try:
        return field.type.parse(given, Reader())
    except (Invalid, ValueError, TypeError):
        return None
