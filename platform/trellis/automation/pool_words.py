"""What people are told of a pool, each in their own language."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from babel.dates import format_datetime

from trellis.automation.mail.words import Say, words
from trellis.automation.notices import tell
from trellis.automation.workflows.people import USER
from trellis.formula.types import Ref

if TYPE_CHECKING:
    from trellis.records.graph import LiveRecord
    from trellis.records.session import Session

NOTICE = "pool"


def tell_about(
    session: Session, people: Sequence[UUID], record: LiveRecord, say: Callable[[Say, Callable[[Any], str]], str]
) -> None:
    """Tell people in their own languages."""
    tenant, table = session.tenant, session.table(USER)
    spoken = table.c.get("language", sa.null())
    known: Any = session.execute(sa.select(table.c.id, spoken).where(table.c.id.in_(list(people))))
    for id, own in known.all():
        language = own or tenant.profile.language

        def shown(value: Any, language: str = language) -> str:
            if isinstance(value, datetime):
                locale = language.replace("-", "_")
                return format_datetime(value, "short", tzinfo=session.reader.time_zone, locale=locale)
            return str(value.in_language(language))

        text = say(words(language), shown)
        tell(session.connection, tenant, [id], text, kind=NOTICE, about=Ref(record.entity, record.id))
