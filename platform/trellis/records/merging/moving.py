"""What hangs on the merged records goes to the winner: links, many-to-manys, comments, files, followers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dc_field
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, insert

from trellis.formula.types import Ref
from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.records.deriving import rollups
from trellis.records.deriving.words import fill_search
from trellis.records.merging.carried_shares import carry
from trellis.records.merging.places import MOVED, SHARED, links_to, many_of, points_at
from trellis.records.refusal import Fault, Refused
from trellis.records.versions import history
from trellis.records.writing import unique
from trellis.storage.names import short

if TYPE_CHECKING:
    from trellis.records.session import Session


@dataclass
class Moving:
    """One merge's moves: the same ids go to the same winner in every place."""

    session: Session
    merge: UUID
    entity: str
    winner: Ref
    losers: Sequence[Ref]
    means: str
    moved: dict[str, int] = dc_field(default_factory=lambda: defaultdict(int))  # how many, by entity

    @property
    def ids(self) -> list[UUID]:
        """The records that are merged."""
        return [ref.id for ref in self.losers]

    @property
    def everyone(self) -> list[UUID]:
        """All records that take part, the winner first."""
        return [self.winner.id, *self.ids]

    def run(self) -> None:
        """Move everything. Refused when two records would stand where only one may."""
        for other, field in links_to(self.session, self.entity):
            self._make_room(other, field)
            self._move_links(other, field)
        for owner, name, side in many_of(self.session, self.entity):
            self._add_many(owner, name, side)
        for name in MOVED:
            self._move_rows(name)
        for name in SHARED:
            self._share_rows(name)
        carry(self)

    def note(
        self, kind: str, entity: str, field: str, loser: UUID, records: Iterable[UUID], before: Any = None
    ) -> None:
        """Keep what was done, for the undoing."""
        row = {"merge": self.merge, "kind": kind, "entity": entity, "field": field, "loser": loser}
        self.session.execute(
            sa.insert(self.session.tables.platform.merge_move).values(**row, records=list(records), before=before)
        )

    # ── links ────────────────────────────────────────────────────────────────────────────────────────────

    def _make_room(self, other: Entity, field: Field) -> None:
        """Where a link is part of what is unique, only one of the rows that would be equal stays."""
        wanted = [c for c in unique.constraints(other) if field.key in c.fields]
        if getattr(field.type, "one", False):
            wanted.append(unique.Constraint((field.key,)))
        table = self.session.table(other.key)
        for constraint in wanted:
            rest = [table.c[short(name)] for name in constraint.fields if name != field.key]
            folded = [sa.func.lower(c) if not constraint.case and isinstance(c.type, sa.String) else c for c in rest]
            link = table.c[short(field.key)]
            found = sa.select(table.c.id, link, *folded).where(
                link.in_(self.everyone), points_at(table, field, self.entity), table.c.deleted_at.is_(None)
            )
            found = found.where(table.c.id.not_in(self.ids)).order_by(table.c.created_at, table.c.id)
            place = {id: at for at, id in enumerate(self.everyone)}
            seen: set[tuple[Any, ...]] = set()
            twice: list[UUID] = []
            rows: list[tuple[Any, ...]] = [tuple(row) for row in self.session.execute(found).all()]
            for row in sorted(rows, key=lambda row: place[row[1]]):
                if None in row[2:]:
                    continue
                if row[2:] in seen:
                    twice.append(row[0])
                seen.add(row[2:])
            if twice:
                self._give_way(other, field, twice)

    def _give_way(self, other: Entity, field: Field, ids: list[UUID]) -> None:
        """A second membership goes to the bin with the record it was of; anything more than that is for a person.

        A membership is a part, or what goes when the record goes (`on_delete: cascade`) and nothing else points to.
        """
        goes_along = getattr(field.type, "on_delete", "") == "cascade" and not self._is_held(other, ids)
        if not other.part_of and not goes_along:
            from trellis.records.graph import StoreGraph, title_of

            names: tuple[str, ...] = ()
            if self.session.permit.is_unlimited("read", other.key):
                names = tuple(title_of(r) for r in StoreGraph(self.session).load(other.key, ids[:3]))
            message = (
                "Both have {entity} of the same kind, where only one may be: {names}. Merge or change these first."
            )
            params = {"entity": other.plural, "names": names or ("…",)}
            raise Refused([Fault("unique", message, None, params)])
        table = self.session.table(other.key)
        now, me = self.session.reader.now, self.session.principal.id
        self.session.execute(
            sa.update(table)
            .where(table.c.id.in_(ids))
            .values(deleted_at=now, deleted_by=me, version=table.c.version + 1)
        )
        self.note("bin", other.key, "", self.winner.id, ids)
        rollups.after_membership(self.session, other.key, ids)

    def _is_held(self, entity: Entity, ids: list[UUID]) -> bool:
        """Whether a live record points at one of these."""
        for other, field in links_to(self.session, entity.key):
            table = self.session.table(other.key)
            pointing = sa.select(sa.literal_column("1", sa.Integer())).where(
                table.c[short(field.key)].in_(ids), points_at(table, field, entity.key), table.c.deleted_at.is_(None)
            )
            if self.session.execute(pointing.limit(1)).first() is not None:
                return True
        return False

    def _move_links(self, other: Entity, field: Field) -> None:
        """One statement a link: the rows, their history, and what was moved."""
        moved = move_links(self.session, other, field, self.entity, self.losers, self.winner, self.means, self.merge)
        if moved:
            self.moved[other.key] += moved
            after_move(self.session, other, field, self.entity, self.everyone)

    # ── many-to-many ─────────────────────────────────────────────────────────────────────────────────────

    def _add_many(self, owner: str, name: str, side: str) -> None:
        """The winner gets the merged records' links; what it has already gets what is blank in its columns.

        The merged records keep their own rows: nobody sees them, and the undoing finds them there.
        """
        links = self.session.tables.links[owner, name]
        near, far = (links.c.source, links.c.target) if side == "source" else (links.c.target, links.c.source)
        extra = [c for c in links.c if c.name not in ("source", "target", "position")]
        mine = {
            row[far.name]: dict(row)
            for row in self.session.execute(sa.select(links).where(near == self.winner.id)).mappings()
        }
        place = {id: at for at, id in enumerate(self.ids)}
        rows = self.session.execute(sa.select(links).where(near.in_(self.ids))).mappings().all()
        added: dict[UUID, dict[UUID, dict[str, Any]]] = defaultdict(dict)
        filled: dict[UUID, dict[str, Any]] = {}
        had = set(mine)
        for row in sorted(rows, key=lambda r: (place[r[near.name]], r["position"])):
            end, loser = row[far.name], row[near.name]
            if end in self.everyone:
                continue  # a record is not linked with itself
            if end not in mine:
                mine[end] = {**row, near.name: self.winner.id, "position": len(mine)}
                added[loser][end] = mine[end]
                continue
            blank = {c.name: row[c.name] for c in extra if mine[end][c.name] is None and row[c.name] is not None}
            mine[end].update(blank)
            if blank and end in had:
                filled.setdefault(end, {}).update(blank)
        for new in added.values():
            self.session.execute(insert(links).on_conflict_do_nothing(), list(new.values()))
        for end, values in filled.items():
            self.session.execute(sa.update(links).where(near == self.winner.id, far == end).values(**values))
        now = kept_rows(self.session, links, near, far, self.winner.id) if added or filled else {}
        for loser, new in added.items():
            self.note(side, owner, name, loser, new, {str(end): now.get(end) for end in new})
        for end, values in filled.items():
            self.note(f"{side}_columns", owner, name, self.winner.id, [end], {key: now[end][key] for key in values})
        if side == "target":
            self._tell_owners(owner, name, added)
        ends = {*(end for new in added.values() for end in new), *filled}
        if rows:
            rollups.after_links(self.session, owner, name, side, self.everyone, ends)

    def _tell_owners(self, owner: str, name: str, added: Mapping[UUID, Iterable[UUID]]) -> None:
        """The records that were linked with a merged one tell in their history that it is another one now."""
        titles = {ref.id: ref for ref in self.losers}
        if self.session.entity(owner).fields[name].audit:
            changes = {
                end: [[name, [history.as_told(titles[loser])], [history.as_told(self.winner)]]]
                for loser, ends in added.items()
                for end in ends
            }
            history.record_each(self.session, owner, changes, "link", self.means)

    # ── the platform's own rows ──────────────────────────────────────────────────────────────────────────

    def _move_rows(self, name: str) -> None:
        table = getattr(self.session.tables.platform, name)
        for loser in self.ids:
            own = (table.c.entity == self.entity) & (table.c.record == loser)
            changed = sa.update(table).where(own).values(record=self.winner.id).returning(table.c.id)
            if ids := list(self.session.execute(changed).scalars()):
                self.note("platform", name, "", loser, ids)

    def _share_rows(self, name: str) -> None:
        """Who follows a merged record follows the winner; the old rows stay for the undoing."""
        table = getattr(self.session.tables.platform, name)
        columns = [c.name for c in table.c]
        for loser in self.ids:
            chosen = [sa.literal(self.winner.id, sa.Uuid()) if c == "record" else table.c[c] for c in columns]
            source = sa.select(*chosen).where(table.c.entity == self.entity, table.c.record == loser)
            made = insert(table).from_select(columns, source).on_conflict_do_nothing().returning(table.c.user)
            if people := list(self.session.execute(made).scalars()):
                self.note("shared", name, "", loser, people)


def kept_rows(session: Session, links: sa.Table, near: Any, far: Any, id: UUID) -> dict[UUID, dict[str, Any]]:
    """What a record's links keep, by their far end, as JSON: to be compared later."""
    ends = ("source", "target", "position")
    row = sa.func.to_jsonb(links.table_valued(), type_=JSONB())
    found: Sequence[Any] = session.execute(sa.select(far, row).where(near == id)).all()
    return {end: {k: v for k, v in kept.items() if k not in ends} for end, kept in found}


def move_links(
    session: Session,
    other: Entity,
    field: Field,
    entity: str,
    sources: Sequence[Ref],
    target: Ref,
    means: str,
    merge: UUID | None,
    only: Sequence[UUID] | None = None,
) -> int:
    """Point links at another record, with the history of each row; what was moved is noted when `merge` is given."""
    table = session.table(other.key)
    link = table.c[short(field.key)]
    from_ids = [ref.id for ref in sources]
    conditions = [link.in_(from_ids), points_at(table, field, entity)]
    conditions.append(table.c.id.in_(only) if only is not None else table.c.id.not_in([*from_ids, target.id]))
    found = sa.select(table.c.id, link.label("was")).where(*conditions).order_by(table.c.id).with_for_update()
    rows = found.cte("found")
    moved = (
        sa.update(table)
        .where(table.c.id == rows.c.id)
        .values({link.name: target.id, "version": table.c.version + 1})
        .returning(table.c.id, rows.c.was, table.c.version)
        .cte("moved")
    )
    told = _history(session, other, field, sources, target, means, moved) if field.audit and not other.part_of else None
    if merge is None:
        statement: Any = sa.select(sa.func.count()).select_from(moved)
        statement = statement if told is None else statement.add_cte(told)
        return int(session.execute(statement).scalar_one())
    noted = session.tables.platform.merge_move
    summary = sa.select(
        sa.literal(merge, sa.Uuid()),
        sa.literal("link"),
        sa.literal(other.key),
        sa.literal(field.key),
        moved.c.was,
        sa.func.array_agg(moved.c.id),
    ).group_by(moved.c.was)
    names = ["merge", "kind", "entity", "field", "loser", "records"]
    statement = sa.insert(noted).from_select(names, summary).returning(sa.func.cardinality(noted.c.records))
    statement = statement if told is None else statement.add_cte(told)
    return sum(session.execute(statement).scalars())


def _history(
    session: Session, other: Entity, field: Field, sources: Sequence[Ref], target: Ref, means: str, moved: sa.CTE
) -> Any:
    """An entry for every row that now points elsewhere."""
    table, principal = session.tables.platform.history, session.principal
    new = sa.literal(field.type.to_json(target), JSONB())
    old = sa.case({ref.id: sa.literal(field.type.to_json(ref), JSONB()) for ref in sources}, value=moved.c.was)
    change = sa.func.jsonb_build_array(sa.func.jsonb_build_array(field.key, old, new))
    chosen = sa.select(
        sa.literal(session.reader.now, sa.DateTime(timezone=True)),
        sa.literal(other.key),
        moved.c.id,
        sa.literal("update"),
        sa.literal(means),
        sa.literal(principal.id, sa.Uuid()),
        sa.literal(principal.name or None, sa.Text()),
        moved.c.version,
        change,
    )
    names = ["at", "entity", "record", "kind", "means", "by", "by_name", "version", "changes"]
    return sa.insert(table).from_select(names, chosen).cte("told")


def after_move(session: Session, other: Entity, field: Field, entity: str, ends: Sequence[UUID]) -> None:
    """Roll-ups over the rows that moved, and the words that these are found by."""
    table = session.table(other.key)

    def rows() -> list[UUID]:
        pointing = sa.select(table.c.id).where(table.c[short(field.key)].in_(ends), points_at(table, field, entity))
        return list(session.execute(pointing).scalars())

    rollups.after_moved(session, other.key, field.key, ends, rows)
    if field.search:
        fill_search(other.key, session, rows())
