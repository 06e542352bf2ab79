"""The statements as a hand writes them: one for a list, one for a record, three for a save."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from bench.handwritten.tables import HandTables

PAGE = 50
MOST = 10_000


class Conflict(Exception):
    """Somebody else was faster."""


@dataclass(frozen=True)
class Hand:
    """The hand-written access to the tables."""

    engine: sa.Engine
    tables: HandTables

    def contacts(
        self,
        *,
        decision: bool = False,
        q: str | None = None,
        by_name: bool = False,
        after: tuple[Any, UUID] | None = None,
        limit: int = PAGE,
    ) -> list[dict[str, Any]]:
        """A page of contacts with the names of their accounts and owners, and one more if there is a next page."""
        c, a, u = self.tables.contact.c, self.tables.account.c, self.tables.user.c
        statement = (
            sa.select(
                c.id, c.version, c.created_at, c.name, c.email, c.phone, c.mobile, c.job_title,
                c.account, a.name.label("account_name"), c.owner, u.name.label("owner_name"),
            )
            .select_from(
                self.tables.contact.outerjoin(self.tables.account, a.id == c.account).outerjoin(
                    self.tables.user, u.id == c.owner
                )
            )
            .where(c.deleted_at.is_(None))
            .limit(limit + 1)
        )  # fmt: skip
        if decision:
            statement = statement.where(c.buying_role == "decision")
        if q:
            words = " & ".join(f"'{word}'" for word in q.lower().split()) + ":*"
            statement = statement.where(c.search.op("@@")(sa.func.to_tsquery("simple", words)))
        if by_name:
            order = c["_order"]
            statement = statement.where(order.is_not(None)).order_by(order, c.id)
            if after:
                statement = statement.where(sa.tuple_(order, c.id) > sa.tuple_(after[0], after[1]))
        else:
            statement = statement.order_by(c.created_at.desc(), c.id.desc())
            if after:
                statement = statement.where(sa.tuple_(c.created_at, c.id) < sa.tuple_(after[0], after[1]))
        with self.engine.connect() as connection:
            return [named(row) for row in connection.execute(statement).mappings()]

    def count(self, *, decision: bool = False, q: str | None = None) -> int:
        """How many there are, up to 10,001."""
        c = self.tables.contact.c
        found: sa.Select[Any] = sa.select(sa.literal_column("1")).where(c.deleted_at.is_(None)).limit(MOST + 1)
        if decision:
            found = found.where(c.buying_role == "decision")
        if q:
            words = " & ".join(f"'{word}'" for word in q.lower().split()) + ":*"
            found = found.where(c.search.op("@@")(sa.func.to_tsquery("simple", words)))
        with self.engine.connect() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(found.subquery())).scalar_one())

    def contact(self, id: UUID) -> dict[str, Any]:
        """One contact with every column and the names of what it points to."""
        c, t = self.tables.contact, self.tables
        boss, referrer = c.alias("boss"), c.alias("referrer")
        statement = (
            sa.select(
                *(column for column in c.c if column.name not in ("search", "_order")),
                t.account.c.name.label("account_name"),
                t.user.c.name.label("owner_name"),
                boss.c.name.label("boss_name"),
                referrer.c.name.label("referrer_name"),
            )
            .select_from(
                c.outerjoin(t.account, t.account.c.id == c.c.account)
                .outerjoin(t.user, t.user.c.id == c.c.owner)
                .outerjoin(boss, boss.c.id == c.c.reports_to)
                .outerjoin(referrer, referrer.c.id == c.c.referrer)
            )
            .where(c.c.id == id, c.c.deleted_at.is_(None))
        )
        with self.engine.connect() as connection:
            return named(connection.execute(statement).mappings().one())

    def save(self, id: UUID, values: dict[str, Any], version: int, by: UUID, by_name: str) -> dict[str, Any]:
        """Change a contact if it is still the version that was read; the history tells it."""
        c, now = self.tables.contact, datetime.now(UTC)
        with self.engine.begin() as connection:
            row = connection.execute(
                sa.select(*(column for column in c.c if column.name not in ("search", "_order")))
                .where(c.c.id == id, c.c.deleted_at.is_(None))
                .with_for_update()
            ).mappings().one()  # fmt: skip
            if row["version"] != version:
                raise Conflict
            changes = [[name, row[name], value] for name, value in values.items() if row[name] != value]
            if changes:
                new = {**values, "version": version + 1, "updated_at": now, "updated_by": by}
                connection.execute(sa.update(c).where(c.c.id == id).values(new))
                entry = {
                    "at": now, "entity": "contact", "record": id, "kind": "update", "means": "page",
                    "by": by, "by_name": by_name, "version": version + 1, "changes": changes,
                }  # fmt: skip
                connection.execute(sa.insert(self.tables.history).values(entry))
        return {**row, **values, "version": version + 1}

    def person(self, session: str) -> Any:
        """Who is signed in."""
        s, u = self.tables.session.c, self.tables.user
        statement = (
            sa.select(u.c.id, u.c.name, u.c.email, u.c.roles, u.c.language, u.c.time_zone)
            .join_from(self.tables.session, u, u.c.id == s.user)
            .where(s.id == session, s.expires_at > sa.func.now(), u.c.deleted_at.is_(None), u.c.active)
        )
        with self.engine.connect() as connection:
            return connection.execute(statement).one_or_none()


def named(row: sa.RowMapping) -> dict[str, Any]:
    """A row with the name as people read it."""
    name = row["name"] or {}
    return {**row, "title": " ".join(filter(None, (name.get("first"), name.get("last"))))}
