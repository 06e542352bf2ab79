"""Records whose stage is gone from the configuration, or means something else now: moved where `removed:` says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trellis.storage.names import short, sql_name, sql_text
from trellis.storage.step import Phase, Step

if TYPE_CHECKING:
    from trellis.model.entity import Entity
    from trellis.model.model import Model
    from trellis.model.pipeline import Pipeline, Stage
    from trellis.storage.steps import Difference


@dataclass(frozen=True)
class Track:
    """The stage field of an entity, by the names that its columns will have and have now."""

    difference: Difference
    entity: Entity
    field: str

    @property
    def table(self) -> str:
        """The entity's table."""
        return short(self.entity.key)

    @property
    def prefix(self) -> str:
        """Before the names of the pipeline's fields, where the entity has several stage fields."""
        return f"{self.field}_" if f"{self.field}_pipeline" in self.entity.fields else ""

    def column(self, name: str) -> str:
        """A column, as it will be called."""
        return sql_name(short(name))

    def live(self, name: str) -> str:
        """A column, as it is called now."""
        return self.difference.live_name(self.table, short(name))

    @property
    def is_live(self) -> bool:
        """Whether there are records that have a stage."""
        table = self.difference.renames.live_table(self.table)
        columns = self.difference.live.columns.get(table, frozenset())
        wanted = (self.field, f"{self.prefix}pipeline", f"{self.field}_type")
        return all(self.live(name).strip('"') in columns for name in wanted)

    @property
    def pipelines(self) -> list[Pipeline]:
        """The pipelines over the field, the default one first."""
        return _over(self.entity, self.field)


def _over(entity: Entity, field: str) -> list[Pipeline]:
    return sorted((p for p in entity.pipelines.values() if p.field == field), key=lambda p: not p.default)


def stage_steps(difference: Difference, old: Model | None, new: Model) -> Iterator[Step]:
    """Steps for stages that are gone, and for those that are of another type."""
    for entity in new.entities.values():
        before = old.entities.get(_before(difference.renames.entities, entity.key)) if old is not None else None
        if before is None:
            continue
        for field in dict.fromkeys(p.field for p in entity.pipelines.values()):
            track = Track(difference, entity, field)
            if track.is_live:
                yield from _gone(track, before)
                yield from _retyped(track, before)


def _gone(track: Track, before: Entity) -> Iterator[Step]:
    """Every stage of the earlier configuration that is not there any more, and what `removed:` still tells of."""
    earlier = _over(before, _before(track.difference.renames.fields.get(track.entity.key, {}), track.field))
    renamed = {(v.stage_of, v.old) for v in track.difference.renames.values if v.entity == track.entity.key}
    now = {p.key: p for p in track.pipelines}
    wanted: dict[tuple[str, str], tuple[Pipeline, Stage] | None] = {}
    for pipeline in earlier:
        kept = now[pipeline.key].stages if pipeline.key in now else {}
        for key in pipeline.stages:
            if key not in kept and (pipeline.key, key) not in renamed:
                wanted[pipeline.key, key] = _told(track, pipeline.key, key)
    for pipeline in track.pipelines:
        for word in pipeline.removed:
            named = word if "." in word else f"{pipeline.key}.{word}"
            gone, _, key = named.partition(".")
            if key != "*":
                wanted.setdefault((gone, key), _told(track, gone, key))
    default = earlier[0].key if earlier else ""
    for (pipeline_key, key), to in wanted.items():
        yield from _moved(track, pipeline_key, key, to, is_default=pipeline_key == default)


def _told(track: Track, pipeline: str, stage: str) -> tuple[Pipeline, Stage] | None:
    """Where the configuration says that the records of a stage go."""
    for among in track.pipelines:
        own = (stage,) if among.key == pipeline else ()
        for word in (*own, f"{pipeline}.{stage}", f"{pipeline}.*"):
            if word in among.removed:
                return among, among.stages[among.removed[word]]
    return None


def _moved(
    track: Track, pipeline: str, key: str, to: tuple[Pipeline, Stage] | None, *, is_default: bool
) -> Iterator[Step]:
    """Move the records of a stage: row, stage history and history. Nobody having said where is refused."""

    def among(field: str, line: str) -> str:
        blank = f" OR {line} IS NULL" if is_default else ""
        return f"{field} = {sql_text(key)} AND ({line} = {sql_text(pipeline)}{blank})"

    line_field = f"{track.prefix}pipeline"
    rows = track.difference.count(track.table, among(track.live(track.field), track.live(line_field)))
    if not rows:
        return
    now = {p.key: p for p in track.pipelines}
    target = to or _first(now.get(pipeline) or track.pipelines[0])
    where = among(track.column(track.field), track.column(line_field))
    counted = f"{rows} {'row' if rows == 1 else 'rows'} of {track.table}"
    text = f"{counted} in the stage {key}, which is gone, {'goes' if rows == 1 else 'go'} to {target[1].key}"
    if target[0].key != pipeline:
        text += f" of {target[0].key}"
    hint = f"removed: {{{key if pipeline in now else f'{pipeline}.{key}'}: …}}"
    text += "." if to else f", the first one: say where they belong by `{hint}` in the pipeline {target[0].key}."
    sql = _statements(track, where, target)
    yield Step(Phase.VALUES, "move_stage", track.table, track.field, text, sql, rows=rows, destroys=to is None)


def _first(pipeline: Pipeline) -> tuple[Pipeline, Stage]:
    return pipeline, next(iter(pipeline.stages.values()))


def _statements(track: Track, where: str, to: tuple[Pipeline, Stage]) -> tuple[str, ...]:
    pipeline, stage = to
    entity, field = sql_text(track.entity.key), sql_text(track.field)
    column, table = track.column(track.field), sql_name(track.table)
    chance = "NULL" if stage.probability is None else str(stage.probability)
    sets = [
        f"{column} = {sql_text(stage.key)}",
        f"{track.column(f'{track.prefix}pipeline')} = {sql_text(pipeline.key)}",
        f"{track.column(f'{track.field}_type')} = {sql_text(stage.type)}",
        f"{track.column(f'{track.field}_since')} = now()",
        "version = version + 1",
    ]
    if stage.probability is not None:
        sets.append(f"{track.column(f'{track.prefix}probability')} = {chance}")
    row = f"{sql_text(pipeline.key)}, {sql_text(stage.key)}, {sql_text(stage.type)}, {column}, {chance}, now()"
    change = f"jsonb_build_array(jsonb_build_array({field}, {column}, {sql_text(stage.key)}))"
    return (
        f"UPDATE _stage_history SET left_at = now() WHERE entity = {entity} AND field = {field}"
        f" AND left_at IS NULL AND record IN (SELECT id FROM {table} WHERE {where})",
        "INSERT INTO _stage_history (entity, record, field, pipeline, stage, stage_type, previous, probability,"
        f" entered_at) SELECT {entity}, id, {field}, {row} FROM {table} WHERE {where}",
        "INSERT INTO _history (entity, record, kind, means, version, changes)"
        f" SELECT {entity}, id, 'update', 'system', version + 1, {change} FROM {table} WHERE {where}",
        f"UPDATE {table} SET {', '.join(sets)} WHERE {where}",
    )


def _retyped(track: Track, before: Entity) -> Iterator[Step]:
    """A stage that is of another type now: its records are, too."""
    old = {p.key: p.stages for p in before.pipelines.values()}
    for pipeline in track.pipelines:
        for stage in pipeline.stages.values():
            earlier = old.get(pipeline.key, {})
            was = earlier.get(stage.key) or earlier.get(stage.was or "")
            if was is None or was.type == stage.type:
                continue
            line = f"{track.prefix}pipeline"
            blank = " OR {} IS NULL" if pipeline is track.pipelines[0] else ""

            def among(field: str, in_line: str, key: str, name: str = pipeline.key, blank: str = blank) -> str:
                return f"{field} = {sql_text(key)} AND ({in_line} = {sql_text(name)}{blank.format(in_line)})"

            rows = track.difference.count(track.table, among(track.live(track.field), track.live(line), was.key))
            if not rows:
                continue
            where = among(track.column(track.field), track.column(line), stage.key)
            kind, table = sql_text(stage.type), sql_name(track.table)
            entity, field = sql_text(track.entity.key), sql_text(track.field)
            sql = (
                f"UPDATE _stage_history SET stage_type = {kind} WHERE entity = {entity} AND field = {field}"
                f" AND left_at IS NULL AND record IN (SELECT id FROM {table} WHERE {where})",
                f"UPDATE {table} SET {track.column(f'{track.field}_type')} = {kind} WHERE {where}",
            )
            text = f"{rows} rows of {track.table} in the stage {stage.key} are {stage.type} instead of {was.type}."
            yield Step(Phase.VALUES, "retype_stage", track.table, track.field, text, sql, rows=rows)


def _before(renamed: dict[str, str], key: str) -> str:
    return next((old for old, new in renamed.items() if new == key), key)
