"""`sla:` documents: the fields that their entities get of them, then what they say, resolved."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta

from trellis.config.phrase import phrase
from trellis.formula.formula import Formula, compile_formula
from trellis.formula.types import DATETIME
from trellis.model.calendar import BusinessCalendar
from trellis.model.choice import Choice
from trellis.model.compile.context import Context, humanize
from trellis.model.compile.drafts import EntityDraft
from trellis.model.compile.formulas import condition, formula
from trellis.model.compile.item import Item
from trellis.model.compile.names import Names
from trellis.model.compile.outline import made_field
from trellis.model.compile.types import Types
from trellis.model.service_level import STATES, ServiceLevel, Target
from trellis.model.spans import read_span

CODE = "E341"
IN_DAYS = "W620"
_DUE = {"zh-Hans": "{}截止时间"}
_STATE = {"zh-Hans": "{}状态"}
_LATER = frozenset({"now", "today"})


def documents(ctx: Context) -> Iterable[tuple[str, Item]]:
    """The service levels as written."""
    for key, document in ctx.configuration.of("sla").items():
        yield key, Item(dict(document.data), document.place, "", document.name)


def field_names(key: str) -> tuple[str, str]:
    """The fields of a service level: `first-response` gives first_response_due and first_response_state."""
    name = key.replace("-", "_")
    return f"{name}_due", f"{name}_state"


def draft_service_levels(ctx: Context) -> None:
    """Give the entities the fields of their service levels, where they do not say otherwise themselves."""
    for key, item in documents(ctx):
        draft = ctx.drafts.get(item.word("entity"))
        if draft is not None and not draft.is_abstract:
            _give_fields(ctx, draft, key, item)


def _give_fields(ctx: Context, draft: EntityDraft, key: str, item: Item) -> None:
    label = ctx.text(item, "label", humanize(key))
    due, state = field_names(key)
    choices = tuple(
        Choice(k, ctx.translated(humanize(_WORDS[k]), f"system.sla_states.{k}.label"), c) for k, c in STATES.items()
    )
    _give(
        ctx, draft, item, due, f"{label.source} due", {k: _DUE[k].format(t) for k, t in _translated(label, _DUE)}, None
    )
    texts = {k: _STATE[k].format(t) for k, t in _translated(label, _STATE)}
    _give(ctx, draft, item, state, f"{label.source} state", texts, choices)


_WORDS = {"running": "running", "warned": "at risk", "paused": "paused", "met": "met", "breached": "missed"}


def _translated(label: object, patterns: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    texts = getattr(label, "translations", None) or {}
    return [(language, text) for language, text in texts.items() if language in patterns]


def _give(
    ctx: Context,
    draft: EntityDraft,
    item: Item,
    key: str,
    label: str,
    texts: Mapping[str, str],
    choices: tuple[Choice, ...] | None,
) -> None:
    type_name = "datetime" if choices is None else "choice"
    given = {"type": type_name, "label": label, "audit": False, "copy": False}
    path = f"entity.{draft.key}.fields.{key}.label"
    for language, text in texts.items():
        ctx.translations.setdefault(path, {}).setdefault(language, text)
    own = draft.fields.get(key)
    if own is None:
        own = made_field(draft, key, item, **given)
        before = {k: f for k, f in draft.fields.items() if not f.system or k not in _BASE}
        draft.fields = {**before, key: own, **{k: f for k, f in draft.fields.items() if k in _BASE and f.system}}
    elif own.item.word("type"):
        hint = "leave its type out to change what it is called, or name the service level otherwise"
        ctx.problem(
            "E308",
            phrase("'{key}' is the field of sla '{sla}'", key=key, sla=item.word("sla")),
            own.item,
            hint,
            at_key=True,
        )
    own.given, own.system, own.choices = {**own.given, **given}, True, choices


_BASE = frozenset({"id", "created_at", "created_by", "updated_at", "updated_by", "deleted_at", "deleted_by", "version"})


def compile_service_levels(
    ctx: Context, types: Types, calendars: Mapping[str, BusinessCalendar]
) -> dict[str, ServiceLevel]:
    """The service levels by key."""
    found = {}
    for key, item in documents(ctx):
        if (made := _level(ctx, types, calendars, key, item)) is not None:
            found[key] = made
    return found


def _level(
    ctx: Context, types: Types, calendars: Mapping[str, BusinessCalendar], key: str, item: Item
) -> ServiceLevel | None:
    names = Names(ctx, types)
    names.document(item.get("calendar"), "calendar")
    entity = names.entity(item.get("entity"))
    if entity is None:
        return None
    scope = types.scope(entity)
    calendar = calendars.get(item.word("calendar"))
    when, met_when, pause_when = (condition(ctx, item.get(w), scope) for w in ("when", "met_when", "pause_when"))
    start = formula(ctx, item.get("start"), scope, DATETIME)
    met_at = formula(ctx, item.get("met_at"), scope, DATETIME)
    if item.get("met_when") is None and item.get("met_at") is None:
        hint = "met_when: says when it is done, met_at: names the moment at which it was"
        ctx.problem(CODE, "nothing ever meets this", item, hint, at_key=True)
    if met_when is None and item.get("met_when") is None and (written := item.get("met_at")) is not None:
        met_when = condition(ctx, written.plain(f"not is_blank({written.text.lstrip('= ')})"), scope)
    start = start or compile_formula("created_at", scope)
    listed = item.get("targets")
    targets = {}
    for name, target in listed.entries() if listed is not None else ():
        if isinstance(target.data, dict) and (made := _target(ctx, types, entity, name, target, calendar)) is not None:
            targets[name] = made
    _unreached(ctx, listed, targets)
    said = f"{item.data!r} {calendar.digest if calendar is not None else ''}"
    level = ServiceLevel(
        key=key,
        entity=entity,
        label=ctx.text(item, "label", humanize(key)),
        start=start,
        targets=targets,
        calendar=calendar.key if calendar is not None else "",
        when=when,
        met_when=met_when,
        met_at=met_at,
        pause_when=pause_when,
        digest=hashlib.sha256(said.encode()).hexdigest()[:16],
        fields=field_names(key),
    )
    return replace(level, reads=_reads(ctx, entity, level))


def _target(
    ctx: Context, types: Types, entity: str, key: str, item: Item, calendar: BusinessCalendar | None
) -> Target | None:
    within = item.get("within")
    length = _length(ctx, within, calendar)
    warn = item.get("warn")
    early: timedelta | None = None
    if length is not None and warn is not None:
        share = re.fullmatch(r"(\d+) ?%", warn.text)
        early = length * int(share[1]) / 100 if share is not None else _length(ctx, warn, calendar)
        if early is not None and early >= length:
            hint = "it is counted from the start, as `within` is"
            ctx.problem(CODE, phrase("the warning after {warn} comes too late", warn=warn.text), warn, hint)
    when = condition(ctx, item.get("when"), types.scope(entity))
    if length is None:
        return None
    return Target(key, ctx.text(item, "label", humanize(key)), length, early, when)


def _length(ctx: Context, item: Item | None, calendar: BusinessCalendar | None) -> timedelta | None:
    span = read_span(item.text) if item is not None else None
    if item is None or span is None:
        return None
    if span.months or span.rest <= timedelta():
        ctx.problem(
            CODE,
            phrase("'{name}' is no length of business time", name=item.text),
            item,
            "such as 30 minutes or 8 hours",
        )
        return None
    if calendar is not None and re.search(r"\d ?(d|w)", item.text):
        hours = span.rest // timedelta(hours=1)
        hint = phrase(
            "a day has 24 of them: {name} is {hours} business hours; write the hours that are meant",
            name=item.text,
            hours=hours,
        )
        ctx.problem(IN_DAYS, "time is counted in business hours here", item, hint)
    return span.rest


def _unreached(ctx: Context, listed: Item | None, targets: Mapping[str, Target]) -> None:
    """A target after one without a condition is never reached."""
    catch_all = ""
    for key in targets:
        item = listed.get(key) if listed is not None else None
        if item is None:
            continue
        if catch_all:
            hint = phrase("the first that fits counts, and '{name}' fits always: write it last", name=catch_all)
            ctx.problem(CODE, phrase("target '{name}' is never reached", name=key), item, hint, at_key=True)
        if item.get("when") is None:
            catch_all = catch_all or key


def _reads(ctx: Context, entity: str, level: ServiceLevel) -> frozenset[str] | None:
    """The record's own fields that decide; None where time or other records do too."""
    formulas: list[Formula | None] = [level.when, level.start, level.met_when, level.met_at, level.pause_when]
    formulas += [target.when for target in level.targets.values()]
    found: set[str] = set()
    fields = ctx.drafts[entity].fields
    for each in formulas:
        if each is None:
            continue
        if each.uses & _LATER or any(
            len(path) > 1 or path[0] not in fields or fields[path[0]].is_derived for path in each.reads
        ):
            return None
        found.update(path[0] for path in each.reads)
    return frozenset(found)
