"""Pipelines: the fields that an entity gets from them, then stages and moves."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from trellis.config.phrase import phrase
from trellis.formula.formula import constant
from trellis.formula.types import TEXT, record_of
from trellis.model.choice import Choice
from trellis.model.compile.context import Context, humanize
from trellis.model.compile.drafts import EntityDraft, FieldDraft
from trellis.model.compile.formulas import condition
from trellis.model.compile.item import Item
from trellis.model.compile.outline import made_field
from trellis.model.compile.types import Types
from trellis.model.durations import read_duration
from trellis.model.pipeline import Move, Pipeline, Stage
from trellis.model.text import Text

STAGE_TYPES = {
    "open": "blue",
    "won": "green",
    "lost": "red",
    "done": "green",
    "cancelled": "gray",
}
FORECASTS = {"pipeline": "blue", "best_case": "purple", "commit": "teal", "closed": "green", "omitted": "gray"}
DEFAULT_FORECAST = {"open": "pipeline", "won": "closed", "done": "closed", "lost": "omitted", "cancelled": "omitted"}
DEFAULT_PROBABILITY = {"won": Decimal(100), "lost": Decimal(0), "done": Decimal(100), "cancelled": Decimal(0)}


def draft_pipelines(ctx: Context) -> None:
    """Give the entities the fields of their pipelines."""
    for document in ctx.configuration.of("pipeline").values():
        item = Item(dict(document.data), document.place, "", document.name)
        entity = item.get("entity")
        if entity is None:
            continue  # the check of shapes has said so
        draft = ctx.drafts.get(entity.text)
        if draft is None or draft.is_abstract:
            ctx.unknown("entity", entity, (k for k, d in ctx.drafts.items() if not d.is_abstract))
            continue
        draft.pipelines.append((document.key, item))
    for draft in ctx.drafts.values():
        if draft.pipelines:
            _give_fields(ctx, draft)


def _give_fields(ctx: Context, draft: EntityDraft) -> None:
    by_field: dict[str, list[tuple[str, Item]]] = {}
    for key, item in draft.pipelines:
        by_field.setdefault(item.word("field", "stage"), []).append((key, item))
    plain = "stage" if "stage" in by_field else next(iter(by_field))
    for field, pipelines in by_field.items():
        prefix = "" if field == plain else f"{field}_"
        default = next((p for p in pipelines if p[1].flag("default")), pipelines[0])
        stages = _stage_choices(ctx, pipelines)
        keys = tuple(Choice(k, ctx.text(i, "label", humanize(k))) for k, i in pipelines)
        types = tuple(
            Choice(k, ctx.translated(humanize(k), f"system.stage_types.{k}.label"), color)
            for k, color in STAGE_TYPES.items()
        )
        first = next((k for k, _ in _stages(default[1])), None)
        _give(ctx, draft, default[1], f"{prefix}pipeline", keys, type="choice", label="Pipeline", default=default[0])
        _give(ctx, draft, default[1], field, stages, type="choice", label=humanize(field), default=first)
        _give(
            ctx, draft, default[1], f"{field}_type", types, type="choice", label=f"{humanize(field)} type", system=True
        )
        _give(ctx, draft, default[1], f"{field}_since", type="datetime", label=f"{humanize(field)} since", system=True)
        stuck = _stuck(pipelines, field, prefix)
        _give(ctx, draft, default[1], f"{prefix}is_stuck", type="boolean", label="Stuck", formula=stuck)
        chance: dict[str, Any] = {"type": "percent", "label": "Probability", "min": 0, "max": 100}
        if not any(stage.get("probability") for _, pipeline in pipelines for _, stage in _stages(pipeline)):
            chance["hidden"] = ("form",)  # a queue of tickets has no chances, and no form asks for them
        _give(ctx, draft, default[1], f"{prefix}probability", **chance)
        _give(
            ctx, draft, default[1], f"{prefix}checklist", _checklist(ctx, pipelines), type="choices", label="Checklist"
        )
        category = f"{prefix}forecast_category"
        if category not in draft.fields and (formula := _forecast(pipelines, field, prefix)):
            words = tuple(
                Choice(k, ctx.translated(humanize(k), f"system.forecasts.{k}.label"), color)
                for k, color in FORECASTS.items()
            )
            _give(ctx, draft, default[1], category, words, type="choice", label="Forecast category", formula=formula)


def _give(
    ctx: Context, draft: EntityDraft, at: Item, key: str, choices: tuple[Choice, ...] | None = None, **given: Any
) -> None:
    """Add a field of a pipeline, under what the entity itself says of it (a label, help, a place)."""
    system = bool(given.pop("system", False))
    own = draft.fields.get(key)
    if own is None:
        made = made_field(draft, key, at, **{k: v for k, v in given.items() if v is not None})
        made.system, made.choices = system, choices
        before = {k: f for k, f in draft.fields.items() if not _is_base(f)}
        after = {k: f for k, f in draft.fields.items() if _is_base(f)}
        draft.fields = {**before, key: made, **after}
        return
    written = own.item.word("type")
    if written and written != given["type"]:
        hint = "leave the type out, or choose another `field:` for the pipeline"
        ctx.problem(
            "E308",
            phrase(
                "'{key}' comes from pipeline '{pipeline}' as {type}",
                key=key,
                pipeline=at.word("pipeline"),
                type=given["type"],
            ),
            own.item,
            hint,
            at_key=True,
        )
    elif choices is not None and (listed := own.item.get("choices")) is not None:
        hint = "leave the choices out, or choose another `field:` for the pipeline"
        ctx.problem(
            "E308",
            phrase(
                "'{key}' has the stages of pipeline '{pipeline}' for choices", key=key, pipeline=at.word("pipeline")
            ),
            listed,
            hint,
        )
    own.given = {**own.given, **{k: v for k, v in given.items() if v is not None and own.item.get(k) is None}}
    own.choices, own.system = choices, system


def _is_base(field: FieldDraft) -> bool:
    return field.system and field.key in (
        "id",
        "created_at",
        "created_by",
        "updated_at",
        "updated_by",
        "deleted_at",
        "deleted_by",
        "version",
    )


def _stages(item: Item) -> Iterable[tuple[str, Item]]:
    stages = item.get("stages")
    return () if stages is None else _in_order(list(stages.entries()))


def _in_order(stages: list[tuple[str, Item]]) -> list[tuple[str, Item]]:
    """The stages as written; those with `after` or `before` stand beside the stage that they name."""
    moved = {k: s for k, s in stages if s.get("after") is not None or s.get("before") is not None}
    placed = [(k, s) for k, s in stages if k not in moved]
    while moved:
        keys = [k for k, _ in placed]
        for key, stage in moved.items():
            word = "after" if stage.get("after") is not None else "before"
            if (target := stage.word(word)) in keys:
                placed.insert(keys.index(target) + (word == "after"), (key, stage))
                del moved[key]
                break
        else:  # what names no stage, or one that waits for it, stays at the end: _stage says so
            return [*placed, *moved.items()]
    return placed


def _stage_label(ctx: Context, key: str, item: Item) -> Text:
    if isinstance(item.data, dict):
        return ctx.text(item, "label", humanize(key))
    return ctx.translated(item.text or humanize(key), f"{item.full_path}.label")


def _stage_color(key: str, item: Item) -> str:
    return item.word("color") or STAGE_TYPES.get(item.word("type", "open"), "blue")


def _stage_choices(ctx: Context, pipelines: list[tuple[str, Item]]) -> tuple[Choice, ...]:
    found: dict[str, Choice] = {}
    for _, pipeline in pipelines:
        for key, item in _stages(pipeline):
            found.setdefault(
                key, Choice(key, _stage_label(ctx, key, item), _stage_color(key, item), item.word("was") or None)
            )
    return tuple(found.values())


def _checklist(ctx: Context, pipelines: list[tuple[str, Item]]) -> tuple[Choice, ...]:
    found: dict[str, Choice] = {}
    for _, pipeline in pipelines:
        for stage, item in _stages(pipeline):
            for key, text in _checks(ctx, item).items():
                found.setdefault(f"{stage}.{key}", Choice(f"{stage}.{key}", text))
    return tuple(found.values())


def _checks(ctx: Context, stage: Item) -> dict[str, Text]:
    checklist = stage.get("checklist")
    if checklist is None:
        return {}
    return {
        k: ctx.translated(i.text or humanize(k), i.full_path, f"{i.full_path}.label") for k, i in checklist.entries()
    }


def _forecast(pipelines: list[tuple[str, Item]], field: str, prefix: str) -> str:
    """A formula: the category by which a forecast counts the record; nothing where no stage says one."""
    if not any(item.word("forecast") for _, pipeline in pipelines for _, item in _stages(pipeline)):
        return ""
    parts = []
    for key, pipeline in pipelines:
        by_category: dict[str, list[str]] = {}
        for stage, item in _stages(pipeline):
            category = item.word("forecast") or DEFAULT_FORECAST.get(item.word("type", "open"), "pipeline")
            by_category.setdefault(category, []).append(f'"{stage}"')
        of = f'{prefix}pipeline == "{key}" and ' if len(pipelines) > 1 else ""
        parts += [f'{of}{field} in ({", ".join(names)}), "{category}"' for category, names in by_category.items()]
    return f"case({', '.join(parts)}, blank)"


def _stuck(pipelines: list[tuple[str, Item]], field: str, prefix: str) -> str:
    """A formula: longer in its stage than the stage's rot_after."""
    parts = []
    for key, pipeline in pipelines:
        for stage, item in _stages(pipeline):
            limit = read_duration(item.word("rot_after")) if item.get("rot_after") is not None else None
            if limit is not None:
                of = f'{prefix}pipeline == "{key}" and ' if len(pipelines) > 1 else ""
                minutes = int(limit.total_seconds() // 60)
                parts.append(f'({of}{field} == "{stage}" and {field}_since < now() - minutes({minutes}))')
    return " or ".join(parts) or "false"


def compile_pipelines(ctx: Context, types: Types, draft: EntityDraft) -> dict[str, Pipeline]:
    """The pipelines of an entity."""
    return {key: _pipeline(ctx, types, draft, key, item) for key, item in draft.pipelines}


def _pipeline(ctx: Context, types: Types, draft: EntityDraft, key: str, item: Item) -> Pipeline:
    stages = {k: _stage(ctx, draft, k, i) for k, i in _stages(item) if isinstance(i.data, dict | str)}
    _check_order(ctx, _stages(item), stages)
    written = item.get("moves")
    moves = tuple(_move(ctx, types, draft, stages, m) for m in written.each()) if written is not None else None
    if moves is not None and stages:
        _unreached(ctx, item, stages, moves)
    return Pipeline(
        key=key,
        entity=draft.key,
        label=ctx.text(item, "label", humanize(key)),
        stages=stages,
        field=item.word("field", "stage"),
        default=item.flag("default") or len(draft.pipelines) == 1,
        moves=moves,
        removed=_removed(ctx, item, stages),
    )


def _check_order(ctx: Context, written: Iterable[tuple[str, Item]], stages: dict[str, Stage]) -> None:
    """What stages name that they follow or come before: another stage, which does not wait for them in turn."""
    beside = {k: at for k, s in written if (at := s.get("after") or s.get("before")) is not None}
    for key, at in beside.items():
        if at.text not in stages or at.text == key:
            ctx.unknown("stage", at, [k for k in stages if k != key], "E309")
            continue
        seen, name = {key}, at.text
        while name in beside and name not in seen:
            seen.add(name)
            name = beside[name].text
        if name == key:
            ctx.problem(
                "E318", phrase("'{key}' and '{at}' are each to stand beside the other", key=key, at=at.text), at
            )


def _removed(ctx: Context, item: Item, stages: dict[str, Stage]) -> dict[str, str]:
    """Where the records of stages that are gone belong: stages of this pipeline."""
    written = item.get("removed")
    found: dict[str, str] = {}
    for key, to in written.entries() if written is not None else ():
        if to.text not in stages:
            ctx.unknown("stage", to, stages, "E309")
        elif key in stages:
            ctx.problem(
                "E309",
                phrase("stage '{name}' is still there", name=key),
                to,
                "take it out of `stages`, or out of `removed`",
            )
        else:
            found[key] = to.text
    return found


def _stage(ctx: Context, draft: EntityDraft, key: str, item: Item) -> Stage:
    kind: Any = item.word("type", "open")
    for word in ("require", "ask"):
        listed = item.get(word)
        for name in listed.each() if listed is not None else ():
            if name.text not in draft.fields and name.text not in draft.inverses:
                ctx.unknown("field", name, draft.fields, "E304")
    written = item.get("probability")
    probability = Decimal(written.data) if written is not None and isinstance(written.data, int | Decimal) else None
    rot = item.get("rot_after")
    rot_after = read_duration(rot.text) if rot is not None else None
    if rot is not None and rot_after is None:
        ctx.problem("E209", phrase("'{name}' is not a duration", name=rot.text), rot, "such as 14 days")
    return Stage(
        key=key,
        label=_stage_label(ctx, key, item),
        type=kind,
        probability=DEFAULT_PROBABILITY.get(kind) if probability is None else probability,
        forecast=item.word("forecast") or None,
        color=_stage_color(key, item),
        rot_after=rot_after,
        require=item.words("require"),
        ask=item.words("ask"),
        checklist=_checks(ctx, item),
        was=item.word("was") or None,
    )


def _move(ctx: Context, types: Types, draft: EntityDraft, stages: dict[str, Stage], item: Item) -> Move:
    for word in ("from", "to"):
        found = item.get(word)
        for name in found.each() if found is not None else ():
            if name.text != "*" and name.text not in stages:
                ctx.unknown("stage", name, stages, "E309")
    roles = item.get("roles")
    for role in roles.each() if roles is not None else ():
        if role.text not in ctx.roles:
            ctx.unknown("role", role, ctx.roles, "E313")
    when = condition(ctx, item.get("when"), types.scope(draft.key, old=record_of(draft.key)))
    return Move(from_=item.words("from"), to=item.words("to"), when=when, roles=item.words("roles"))


def _unreached(ctx: Context, item: Item, stages: dict[str, Stage], moves: tuple[Move, ...]) -> None:
    reached = {next(iter(stages))}
    while True:
        more = {
            to
            for move in moves
            if "*" in move.from_ or reached & set(move.from_)
            for to in (stages if "*" in move.to else move.to)
        }
        if more <= reached:
            break
        reached |= more
    for key, stage in _stages(item):
        if key not in reached and key in stages:
            ctx.problem(
                "E314",
                phrase("no move leads to stage '{name}'", name=key),
                stage,
                "add it to `moves`, or remove it",
                at_key=True,
            )


def stage_default(field: FieldDraft) -> Any:
    """The constant default of a field that a pipeline gives."""
    value = field.given.get("default")
    return None if value is None else constant(value, TEXT)
