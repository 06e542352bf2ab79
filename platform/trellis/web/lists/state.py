"""What a list shows, as its address says: view, search, sort, columns, chips, named filters, a formula."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from trellis.formula.formula import Formula
from trellis.model.text import Text
from trellis.model.view import Sort, View
from trellis.web.cells.column import resolve
from trellis.web.filters.chips import AnyOf, read_chips
from trellis.web.filters.source import Unreadable, group_source
from trellis.web.lists.saved import PARTS

if TYPE_CHECKING:
    from trellis.formula.reader import Reader
    from trellis.model.entity import Entity
    from trellis.model.field import Field
    from trellis.model.model import Model
    from trellis.web.lists.saved import SavedView

MOST_COLUMNS = 20
MOST_SORTS = 3
NARROWEST, WIDEST = 64, 800  # pixels of a column
NO_GROUP = "-"
UNGROUPED = frozenset({"any_link", "id", "deleted_at", "deleted_by"})


@dataclass(frozen=True)
class ListState:
    """One list as one person looks at it. `view` is the entity's view that it starts from."""

    model: Model
    entity: Entity
    view: View
    saved: SavedView | None = None
    q: str = ""
    sort: tuple[Sort, ...] | None = None  # None: the view's
    columns: tuple[str, ...] | None = None  # None: the view's
    chips: tuple[AnyOf, ...] = ()
    named: tuple[str, ...] = ()
    where: str = ""
    group: str | None = None  # None: the view's; "" for a list without groups
    pipeline: str = ""  # a board shows the stages of one
    widths: tuple[tuple[str, int], ...] = ()  # of columns that somebody has made wider or narrower

    @property
    def grouping(self) -> str:
        """The field that makes the groups, or a board's columns; empty when none does."""
        return (self.view.group or "") if self.group is None else self.group

    @property
    def key(self) -> str:
        """What `?view=` says."""
        return self.saved.key if self.saved else self.view.key

    @property
    def sorting(self) -> tuple[Sort, ...]:
        """The sort in force."""
        return self.view.sort if self.sort is None else self.sort

    @property
    def paths(self) -> tuple[str, ...]:
        """The columns in force; a view that names none shows the entity's first fields."""
        return self.columns or self.view.columns or default_columns(self.entity)

    @property
    def is_filtered(self) -> bool:
        """Anything beyond the view itself narrows the list."""
        return bool(self.q or self.chips or self.named or self.where)

    def formulas(self, reader: Reader) -> list[Formula | str]:
        """Every condition in force; a chip that says nothing is left out."""
        found: list[Formula | str] = []
        if self.view.filter is not None:
            found.append(self.view.filter)
        found += [self.entity.filters[key].formula for key in self.named if key in self.entity.filters]
        for group in self.chips:
            try:
                found.append(group_source(self.model, self.entity, group, reader))
            except Unreadable:
                continue
        if self.where:
            found.append(self.where)
        return found

    def parts(self) -> list[tuple[str, str]]:
        """The address' parameters."""
        parts = [("view", self.key)]
        if self.q:
            parts.append(("q", self.q))
        if self.sort is not None:
            parts.append(("sort", write_sort(self.sort)))
        if self.columns is not None:
            parts.append(("cols", ",".join(self.columns)))
        parts += [("f", group.text()) for group in self.chips]
        parts += [("on", key) for key in self.named]
        if self.where:
            parts.append(("where", self.where))
        if self.group is not None:
            parts.append(("group", self.group or NO_GROUP))
        if self.pipeline:
            parts.append(("pipeline", self.pipeline))
        if self.widths:
            parts.append(("w", ",".join(f"{path}:{width}" for path, width in self.widths)))
        return parts

    def query(self, **extra: str) -> str:
        """The address' query text."""
        return urlencode([*self.parts(), *extra.items()])

    def after(self, cursor: str | None, group: str = "") -> str:
        """The address' query text of the rows after a cursor, within a group where there are groups."""
        more = {"cursor": cursor or "", "in": group}
        return self.query(**{name: value for name, value in more.items() if value})

    def without_chip(self, at: int) -> ListState:
        """The state with one chip taken away."""
        return replace(self, chips=self.chips[:at] + self.chips[at + 1 :])

    def without_formula(self) -> ListState:
        """The state without the formula that was typed."""
        return replace(self, where="")

    def without_search(self) -> ListState:
        """The state without the search."""
        return replace(self, q="")

    def in_pipeline(self, key: str) -> ListState:
        """The state of a board over another pipeline."""
        return replace(self, pipeline=key)

    def grouped_by(self, key: str | None) -> ListState:
        """The state with other groups; None leaves them to the view."""
        return replace(self, group=key)

    def toggled(self, key: str) -> ListState:
        """The state with a named filter switched."""
        named = tuple(k for k in self.named if k != key) if key in self.named else (*self.named, key)
        return replace(self, named=named)

    def cleared(self) -> ListState:
        """The state with nothing but the view."""
        return replace(self, q="", chips=(), named=(), where="")

    def sorted_by(self, path: str) -> ListState:
        """The state after a click on a header: ascending, then descending, then as the view has it."""
        now = self.sorting[0] if self.sorting else None
        if now is None or now.path != path:
            return replace(self, sort=(Sort(path),))
        return replace(self, sort=(Sort(path, True),) if not now.descending else None)


def write_sort(sort: Iterable[Sort]) -> str:
    """A sort as the address carries it: `-amount,close_date`."""
    return ",".join(("-" if s.descending else "") + s.path for s in sort)


def read_sort(model: Model, entity: Entity, text: str) -> tuple[Sort, ...]:
    """A sort from the address, without paths that cannot be sorted by."""
    found: list[Sort] = []
    for part in text.split(",")[:MOST_SORTS]:
        path = part.lstrip("-").strip()
        at = resolve(model, entity, path) if path else None
        if at and at[1].type.can_sort:
            found.append(Sort(path, part.startswith("-")))
    return tuple(found)


def default_columns(entity: Entity) -> tuple[str, ...]:
    """The columns of a list whose view names none."""
    fields = [
        f.key
        for f in entity.fields.values()
        if not f.system and "list" not in f.hidden and f.type.name not in LONG and f.key != entity.title_field
    ]
    head = [entity.title_field] if entity.title_field else []
    return tuple([*head, *fields][:8])


LONG = frozenset({"long_text", "rich_text", "json", "code", "secret", "signature", "image", "file", "links"})


def every_view(entity: Entity, roles: Iterable[str] = ()) -> dict[str, View]:
    """The entity's views that these roles may see; `all` is there without being written."""
    mine = frozenset(roles)
    views = {key: view for key, view in entity.views.items() if not view.roles or mine & set(view.roles)}
    if "all" not in views:
        views["all"] = View(key="all", type="list", label=Text("All", ALL_LABELS))
    return views


ALL_LABELS: Mapping[str, str] = {"zh-Hans": "全部", "de": "Alle", "fr": "Tous", "es": "Todos", "zh": "全部"}


def read_state(
    model: Model,
    entity: Entity,
    args: MultiDict[str, str],
    saved: Sequence[SavedView],
    roles: Iterable[str] = (),
    *,
    default: str = "",
) -> ListState:
    """The state that an address describes; what it gets wrong is left out. One that says nothing opens `default`."""
    views = every_view(entity, roles)
    key = args.get("view", "") or ("" if any(args.get(part) for part in PARTS) else default)
    own = next((s for s in saved if s.key == key), None)
    given: MultiDict[str, str] = args
    if own is not None and set(args.keys()) <= {"view", "cursor", "partial"}:
        given = MultiDict()
        for name, value in own.definition.items():
            given.setlist(name, [str(v) for v in value] if isinstance(value, list) else [str(value)])
    base = own.base if own else key
    view = views.get(base) or next(iter(views.values()))
    columns = tuple(p for p in given.get("cols", "").split(",") if p and resolve(model, entity, p))[:MOST_COLUMNS]
    return ListState(
        model=model,
        entity=entity,
        view=view,
        saved=own,
        q=given.get("q", "").replace("\0", "").strip()[:200],
        sort=read_sort(model, entity, given["sort"]) if "sort" in given else None,
        columns=columns or None,
        chips=read_chips(given.getlist("f")),
        named=tuple(k for k in dict.fromkeys(given.getlist("on")) if k in entity.filters),
        where=given.get("where", "").replace("\0", "").strip()[:4000],
        group=read_group(entity, given.get("group", "")),
        pipeline=given.get("pipeline", "") if given.get("pipeline") in entity.pipelines else "",
        widths=read_widths(model, entity, given.get("w", "")),
    )


def read_widths(model: Model, entity: Entity, text: str) -> tuple[tuple[str, int], ...]:
    """Widths from the address, `amount:180,name:240`, none so small or so large that the list cannot be read."""
    found: dict[str, int] = {}
    for part in text.split(",")[:MOST_COLUMNS]:
        path, _colon, width = part.partition(":")
        if width.isascii() and width.isdigit() and len(width) < 5 and resolve(model, entity, path):
            found[path] = max(NARROWEST, min(WIDEST, int(width)))
    return tuple(found.items())


def read_group(entity: Entity, text: str) -> str | None:
    """The grouping of an address: a field's key, "-" for none; None leaves it to the view."""
    if text == NO_GROUP:
        return ""
    field = entity.fields.get(text)
    return text if field is not None and can_group(field) else None


def can_group(field: Field) -> bool:
    """Whether records can be put together by the field's value: one choice, one link, yes or no, a date's month."""
    kind = field.type.formula_type().kind
    if field.type.name in UNGROUPED or field.key in UNGROUPED:
        return False
    return field.type.name == "choice" or kind in ("record", "boolean", "date", "datetime")
