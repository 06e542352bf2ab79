"""Compiles layers: once for each content, whoever asks."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

from trellis.config.layer import Layer
from trellis.config.problem import Mark, Problem
from trellis.config.source import Source
from trellis.config.stack import Configuration, stack
from trellis.model.compile.automation.calendars import compile_calendars
from trellis.model.compile.automation.documents import compile_documents, files_of
from trellis.model.compile.automation.emails import compile_emails
from trellis.model.compile.automation.pools import compile_pools, draft_pools
from trellis.model.compile.automation.scorings import compile_scorings, draft_scorings
from trellis.model.compile.automation.service_levels import compile_service_levels, draft_service_levels
from trellis.model.compile.automation.workflows import compile_workflows
from trellis.model.compile.checks import check_others
from trellis.model.compile.choices import compile_choices
from trellis.model.compile.context import Context
from trellis.model.compile.conversions import compile_conversions, draft_conversions
from trellis.model.compile.cycles import check_cycles
from trellis.model.compile.dashboards import compile_dashboards
from trellis.model.compile.entities import compile_entity
from trellis.model.compile.formats import compile_formats
from trellis.model.compile.menus import compile_menus, compile_modules
from trellis.model.compile.moving import settle_rollups
from trellis.model.compile.outline import outline
from trellis.model.compile.people import add_people
from trellis.model.compile.pipelines import draft_pipelines
from trellis.model.compile.renamed import with_new_names
from trellis.model.compile.reports import compile_reports
from trellis.model.compile.reports.bench import Bench
from trellis.model.compile.roles import compile_roles
from trellis.model.compile.scenarios import compile_scenarios
from trellis.model.compile.shapes import check_shapes
from trellis.model.compile.sharing import has_plain_manifest, profile_upon, told_below
from trellis.model.compile.tenants import compile_profile, compile_settings, languages
from trellis.model.compile.translations import check_translations
from trellis.model.compile.types import Types
from trellis.model.formats.registry import Format
from trellis.model.model import Model
from trellis.model.profile import TenantProfile
from trellis.model.text import Text

CACHE_SIZE = 256
SHARED_KEPT = 64


@dataclass(frozen=True)
class Compiled:
    """What layers compile to. `model` is None when there are errors; `sources` are the files by name, for snippets."""

    model: Model | None
    profile: TenantProfile | None
    problems: list[Problem]
    sources: Mapping[str, Source]
    configuration: Configuration

    @property
    def is_sound(self) -> bool:
        """Without errors; advice may be there."""
        return self.model is not None


_cache: OrderedDict[str, Compiled] = OrderedDict()
_shared: OrderedDict[str, Compiled] = OrderedDict()  # by the layers below a plain manifest
_lock = Lock()
_compiling = Lock()  # apart, so that what is compiled already is never waited for


def compile_layers(layers: Sequence[Layer]) -> Compiled:
    """Compile layers in order; the same content gives the same answer, computed once."""
    key = content_hash(layers)
    if (known := _known(key)) is not None:
        return known
    with _compiling:
        if (known := _known(key)) is not None:  # by another thread, meanwhile
            return known
        compiled = _share(layers) if has_plain_manifest(layers) else _compile(layers, key)
        with _lock:
            _cache[key] = compiled
            while len(_cache) > CACHE_SIZE:
                _cache.popitem(last=False)
        return compiled


def compile_draft(layers: Sequence[Layer]) -> Compiled:
    """Compile what somebody is still writing: the answer is not kept, unless it is known already."""
    key = content_hash(layers)
    return _known(key) or _compile(layers, key)


def _share(layers: Sequence[Layer]) -> Compiled:
    """Compile a tenant that adds nothing but its manifest: all such tenants upon the same layers share one Model."""
    key = content_hash(layers[:-1])
    known = _shared.get(key)
    if known is not None and known.model is not None:
        _shared.move_to_end(key)
        profile, configuration, found = profile_upon(known.model, known.configuration, layers)
        if not any(p.is_error for p in found):
            problems = _sorted([*told_below(known.problems, known.configuration.layers), *found])
            return Compiled(known.model, profile, problems, configuration.sources, configuration)
    compiled = _compile(layers, hashlib.sha256(f"{key} tenant".encode()).hexdigest()[:32])
    if compiled.is_sound:
        _shared[key] = compiled
        while len(_shared) > SHARED_KEPT:
            _shared.popitem(last=False)
    return compiled


def _known(key: str) -> Compiled | None:
    with _lock:
        if key in _cache:
            _cache.move_to_end(key)
        return _cache.get(key)


def content_hash(layers: Sequence[Layer]) -> str:
    """A hash of everything that the layers say."""
    return hashlib.sha256("\n".join(layer.digest for layer in layers).encode()).hexdigest()[:32]


def texts_of(layers: Sequence[Layer]) -> Mapping[str, Text]:
    """Every text for people by its path, with its translations; of layers without errors."""
    configuration = stack(layers)
    add_people(configuration)
    ctx = Context(configuration, asked={})
    check_shapes(ctx)
    _resolve(ctx, "")
    return ctx.asked or {}


def _compile(layers: Sequence[Layer], key: str) -> Compiled:
    configuration = stack(layers)
    add_people(configuration)
    ctx = Context(configuration)
    check_shapes(ctx)
    malformed = any(p.is_error for p in [*configuration.problems, *ctx.problems])
    model: Model | None = None
    profile: TenantProfile | None = None
    try:
        model, profile = _resolve(ctx, key)
    except (TypeError, AttributeError, KeyError, ValueError, IndexError):
        if not malformed:
            raise  # a fault of ours; of data that has the wrong shape, the shape has been told
    problems = with_new_names(_sorted([*configuration.problems, *ctx.problems]), configuration)
    sound = not any(p.is_error for p in problems)
    return Compiled(
        model if sound else None, profile if sound else None, problems, configuration.sources, configuration
    )


def _prepare(ctx: Context) -> tuple[dict[str, Format], Types]:
    """What every formula of the configuration is checked against."""
    ctx.roles = frozenset(ctx.configuration.of("role")) | {"admin"}
    formats = compile_formats(ctx)
    compile_settings(ctx)
    outline(ctx)
    compile_choices(ctx)
    draft_pipelines(ctx)
    draft_service_levels(ctx)
    draft_conversions(ctx)
    draft_pools(ctx)
    draft_scorings(ctx)
    return formats, Types(ctx)


def _resolve(ctx: Context, key: str) -> tuple[Model, TenantProfile | None]:
    """The steps of compiling, in their order."""
    formats, types = _prepare(ctx)
    drafts = [d for d in ctx.drafts.values() if not d.is_abstract]
    entities = {d.key: compile_entity(ctx, types, d) for d in drafts}
    settle_rollups(ctx, entities, check_cycles(ctx, entities))
    pools = compile_pools(ctx, types, entities)
    modules = compile_modules(ctx)
    calendars = compile_calendars(ctx)
    reports = compile_reports(ctx, types)
    model = Model(
        hash=key,
        entities=entities,
        pipelines={k: p for e in entities.values() for k, p in e.pipelines.items()},
        roles=compile_roles(ctx, types),
        modules=modules,
        menus=compile_menus(ctx, entities, modules),
        conversions=compile_conversions(ctx, types),
        reports=reports,
        dashboards=compile_dashboards(ctx, types, entities, reports),
        workflows=compile_workflows(ctx, types),
        emails=compile_emails(ctx, types),
        calendars=calendars,
        service_levels=compile_service_levels(ctx, types, calendars),
        documents=compile_documents(ctx, types),
        document_files=files_of(ctx),
        pools=pools,
        scorings=compile_scorings(ctx, types, entities),
        scenarios=compile_scenarios(ctx, types),
        settings=ctx.settings,
        formats=formats,
        languages=languages(ctx),
        bench=Bench(ctx.configuration, _prepare),
        origins=_origins(ctx),
    )
    check_others(ctx, types)
    check_translations(ctx)
    return model, compile_profile(ctx)


def _origins(ctx: Context) -> dict[str, Mark]:
    found: dict[str, Mark] = {}
    for document in ctx.configuration:
        if document.kind == "tenant":  # its own tenant's, while others may share the Model
            continue
        found[document.name] = document.place.children[document.kind].key_mark
        for name in ("fields", "views", "stages", "rules", "filters"):
            if name in document.place.children:
                for key, place in document.place.children[name].children.items():
                    found[f"{document.name}.{name}.{key}"] = place.key_mark
    return found


def _sorted(problems: list[Problem]) -> list[Problem]:
    unique = list(dict.fromkeys(problems))
    return sorted(unique, key=lambda p: (p.mark or Mark("", 0, 0), p.code))
