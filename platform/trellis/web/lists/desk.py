"""What every page about many records begins with: who asks, which entity, which state."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict

from trellis.records.pools.place import may_assign, open_pools, own_usage
from trellis.records.reading.concealed import conceals
from trellis.records.reading.filtering import compile_filter
from trellis.records.refusal import Forbidden, Missing, Refused
from trellis.records.writing.lines import part_lists
from trellis.web.cells.column import label_of
from trellis.web.context import current_model, current_store
from trellis.web.filters.check import formula_faults
from trellis.web.filters.fields import Sight, may_ask, open_filters
from trellis.web.filters.labels import ChipLabel, chip_labels
from trellis.web.filters.source import Unreadable, group_source
from trellis.web.filters.words import in_words
from trellis.web.formulas import formula_words
from trellis.web.i18n import lower_first
from trellis.web.lists.saved import SavedView, views_of
from trellis.web.lists.state import ListState, every_view, read_state
from trellis.web.reports.numbers import numbers_said
from trellis.web.security import safe_address

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trellis.model.entity import Entity, Filter
    from trellis.model.pool import Pool
    from trellis.records.pools.usage import Usage
    from trellis.records.store import Store

ICONS = {"list": "list", "kanban": "layout-kanban", "calendar": "calendar-event", "map": "map-pin"}


@dataclass(frozen=True)
class Tab:
    """A view in the row of tabs."""

    key: str
    label: Any
    icon: str
    is_current: bool
    address: str
    own: SavedView | None = None
    is_default: bool = False  # the one that the person has chosen to open first


@dataclass(frozen=True)
class Desk:
    """One person in front of one entity's records."""

    store: Store
    entity: Entity
    state: ListState
    saved: tuple[SavedView, ...]
    errors: tuple[str, ...] = ()  # what is wrong with the formula in the address, which is then left out
    default: str = ""  # the key of the view that the person's list opens with

    @property
    def base(self) -> str:
        """The entity's address."""
        return f"{request.script_root}/e/{self.entity.key}"

    @property
    def back(self) -> str:
        """The report that a number of it has led here from; only ever a page of this tenant."""
        given = safe_address(request.args.get("report"))
        return given if given and given.startswith(f"{request.script_root}/reports/") else ""

    @property
    def formula_said(self) -> str:
        """The formula of the address, numbers of reports in it by their names."""
        return numbers_said(self.store, self.state.where)

    @property
    def language(self) -> str:
        """The reader's language."""
        return self.store.principal.reader.language

    def address(self, state: ListState | None = None) -> str:
        """The address of a state."""
        return f"{self.base}/?{(state or self.state).query()}"

    def may(self, action: str) -> bool:
        """Whether the person may do this with the entity at all."""
        return self.store.may(action, self.entity.key)

    @property
    def may_bulk(self) -> bool:
        """Whether the person may change many records at once."""
        return self.store.may_change_many(self.entity.key)

    @property
    def can_pick(self) -> bool:
        """Whether there is anything that the person may do with a selection."""
        if self.pool is not None:
            return True
        if self.may_bulk and (self.may("update") or self.may("delete")):
            return True
        return (self.entity.features.export and self.may("export")) or self.store.may_merge(self.entity.key)

    @cached_property
    def pool(self) -> Pool | None:
        """The pool whose records the view lists, for one who may claim them."""
        mine = (pool for pool in open_pools(self.store) if pool.entity == self.entity.key)
        return next((pool for pool in mine if pool.key == self.state.view.key), None)

    @property
    def pool_usage(self) -> Usage | None:
        """How far the person has used what the pool allows."""
        return own_usage(self.store, self.pool.key) if self.pool is not None else None

    @property
    def may_assign_from_pool(self) -> bool:
        """Whether the person may give what lies in the pool to others."""
        return self.pool is not None and may_assign(self.store, self.pool)

    @property
    def can_import(self) -> bool:
        """Whether the person may bring in records of the entity as a file."""
        return self.entity.features.import_ and self.may("import") and self.may("create")

    @property
    def tabs(self) -> list[Tab]:
        """The entity's views, then the saved ones."""
        now = self.state.key
        views = every_view(self.entity, self.store.principal.roles)
        views = {k: v for k, v in views.items() if k == now or may_ask(self.store, self.entity, v.filter)}
        tabs = [
            Tab(
                key,
                view.label,
                view.icon or ICONS[view.type],
                key == now,
                f"{self.base}/?view={key}",
                is_default=key == self.default,
            )
            for key, view in views.items()
        ]
        for saved in self.saved:
            view = views.get(saved.base)
            icon = "users" if saved.is_shared else ICONS[view.type] if view else "list"
            address, is_default = f"{self.base}/?view={saved.key}", saved.key == self.default
            tabs.append(Tab(saved.key, saved.label, icon, saved.key == now, address, saved, is_default))
        return tabs

    @property
    def filters(self) -> Mapping[str, Filter]:
        """The named filters that are offered."""
        return open_filters(self.store, self.entity)

    @property
    def chips(self) -> list[ChipLabel]:
        """The filter chips in words."""
        return chip_labels(self.store, self.entity, self.state)

    @property
    def view_words(self) -> str:
        """What the view leaves in, in words; empty when it shows everything."""
        own = self.state.view.filter
        if own is None:
            return ""
        if not self.view_source:
            return str(_("A filter with fields that you may not see"))
        return in_words(self.store, self.entity, own)

    @property
    def view_source(self) -> str:
        """The view's own filter as it is written; empty where it names what this person may not see."""
        own = self.state.view.filter
        return "" if own is None or conceals(self.store.session, self.entity.key, own) else own.source

    @property
    def sort_label(self) -> str:
        """The path that the list is sorted by, in words."""
        if not self.state.sorting:
            return ""
        return label_of(self.store.tenant.model, self.entity, self.state.sorting[0].path, self.language)

    @property
    def group_label(self) -> str:
        """The field that makes the groups, in words."""
        field = self.entity.fields.get(self.state.grouping)
        return field.label.in_language(self.language) if field else ""

    @property
    def part_lists(self) -> dict[str, str]:
        """The lists of lines that the records have, by name, with their labels."""
        return {
            inverse.name: inverse.label.in_language(self.language)
            for inverse in part_lists(self.store.session, self.entity)
            if self.store.may("read", inverse.entity)
        }

    @property
    def places(self) -> dict[str, Any]:
        """What the templates of every such page are given."""
        return {
            "desk": self,
            "store": self.store,
            "entity": self.entity,
            "state": self.state,
            "view": self.state.view,
            "base": self.base,
            "plural": lower_first(self.entity.plural.in_language(self.language)),
            "singular": lower_first(self.entity.label.in_language(self.language)),
            "partial": is_partial(),
            "can_import": self.can_import,
            "can_export": self.entity.features.export and self.may("export"),
            "total_label": total_label,
        }


TOTALS = {"sum": _l("Sum"), "avg": _l("Average"), "min": _l("Least"), "max": _l("Most"), "count": _l("Count")}


def total_label(how: str) -> str:
    """What stands before a total."""
    return str(TOTALS.get(how, how))


def is_partial() -> bool:
    """Whether htmx asks for the list alone, not for the frame around it."""
    return request.headers.get("HX-Target") == "list"


def open_desk(key: str, args: MultiDict[str, str] | None = None, *, action: str = "read") -> Desk:
    """The desk for an entity; Missing when there is none such, Forbidden when the person may not see it."""
    model = current_model()
    entity = model.entities.get(key)
    if entity is None:
        raise Missing(key)
    store = current_store()
    if not store.may(action, key):
        raise Forbidden(key, action)
    kept = views_of(store, key)
    saved, given = tuple(kept.views), request.args if args is None else args
    state = read_state(model, entity, given, saved, store.principal.roles, default=kept.default)
    state, errors = understood(store, as_seen(store, state))
    wrong = formula_faults(store, entity, state.where) if state.where else []
    if not wrong:
        return Desk(store, entity, state, saved, errors, kept.default)
    said = tuple(formula_words(fault) for fault in wrong)
    return Desk(store, entity, replace(state, where=""), saved, (*errors, *said), kept.default)


def understood(store: Store, state: ListState) -> tuple[ListState, tuple[str, ...]]:
    """The state without chips that say nothing, as when a field has changed since, and what is said of each."""
    kept, errors = [], []
    for group in state.chips:
        try:
            source = group_source(state.model, state.entity, group, store.principal.reader)
            compile_filter(store.session, state.entity.key, source)
        except (Unreadable, Refused):
            field = label_of(state.model, state.entity, group.chips[0].path, store.principal.reader.language)
            errors.append(_("The filter of %(field)s says nothing here, so it is left out.", field=field))
        else:
            kept.append(group)
    return (replace(state, chips=tuple(kept)) if errors else state), tuple(errors)


def as_seen(store: Store, state: ListState) -> ListState:
    """The state without paths that the person may not see, in whatever part of the address they stand."""
    sight, entity = Sight(store), state.entity
    sort = tuple(s for s in state.sorting if sight.path(entity, s.path))
    columns = None if state.columns is None else tuple(p for p in state.columns if sight.path(entity, p))
    widths = tuple((path, width) for path, width in state.widths if sight.path(entity, path))
    chips = tuple(g for g in state.chips if all(sight.path(entity, chip.path) for chip in g.chips))
    named = tuple(key for key in state.named if key in open_filters(store, entity)) if state.named else ()
    kept = state.sort if sort == state.sorting else sort
    group = state.group if not state.grouping or sight.path(entity, state.grouping) else ""
    return replace(state, sort=kept, columns=columns or None, widths=widths, chips=chips, group=group, named=named)


def counted(n: int, capped: bool = False) -> str:
    """A count for people: 1,204 or 10,000+."""
    from trellis.web.cells.numbers import number_text

    shown = number_text(n, current_store().principal.reader.language, 0)
    return f"{shown}+" if capped else shown


def how_many(n: int, entity: Entity, language: str, *, capped: bool = False) -> str:
    """A count with the entity's name: 148 deals."""
    label = entity.label if n == 1 else entity.plural
    return str(_("%(count)s %(things)s", count=counted(n, capped), things=lower_first(label.in_language(language))))


__all__ = ["Desk", "Tab", "counted", "how_many", "is_partial", "lower_first", "open_desk"]
