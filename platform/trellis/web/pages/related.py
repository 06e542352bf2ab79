"""Related lists: which tabs a record has, what they list, linking and unlinking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Any
from uuid import UUID

from flask import Response, abort, jsonify, request
from flask_appbuilder import expose
from flask_babel import gettext as _
from markupsafe import Markup

from trellis.formula.types import Ref, Value
from trellis.model.entity import Entity, Inverse
from trellis.model.view import Sort
from trellis.records.kept import kept
from trellis.records.reading.linked import LinkedList, linked_list
from trellis.records.reading.pointing import one_of
from trellis.records.reading.standing import Standing
from trellis.records.record import Record
from trellis.records.refusal import Forbidden, Refused
from trellis.records.store import Store
from trellis.web.cells.column import Column, columns_for, reads_of
from trellis.web.cells.registry import CellContext, renderer
from trellis.web.context import current_store
from trellis.web.faults import fault_text
from trellis.web.filters.fields import Sight
from trellis.web.guard import signed_in
from trellis.web.navigation import entity_address, url_for
from trellis.web.pages.base import Page
from trellis.web.pages.form import entity_or_404, label_of, submitted
from trellis.web.pages.linking import join, may_leave, may_point, part
from trellis.web.timeline.activities import activity_links
from trellis.web.widgets import widget_of
from trellis.web.widgets.base import UNCHANGED
from trellis.web.widgets.bound import BoundField
from trellis.web.widgets.lines import lines_of
from trellis.web.widgets.link import as_ref

PAGE = 25
MOST_COLUMNS = 6


@dataclass(frozen=True)
class RelatedList(LinkedList):
    """A list beside a record, as its page shows it."""

    label: Any = ""
    is_part: bool = False
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tab:
    """A tab of the record page."""

    key: str
    label: Any
    icon: str
    address: str


def related_lists(store: Store, entity: Entity) -> Mapping[str, RelatedList]:
    """The lists that the page names, and those of parts; where it names none, every one that has no other place."""
    key = (store.session.view_key, "related lists", entity.key)
    found: Mapping[str, RelatedList] = kept(key, lambda: MappingProxyType(_related_lists(store, entity)))
    return found


def _related_lists(store: Store, entity: Entity) -> dict[str, RelatedList]:
    entities = store.tenant.model.entities
    parts = lines_of(entity, entities)
    activities = {(a.entity.key, a.field) for a in activity_links(store, entity)}
    told = {i.name for i in entity.inverses.values() if (i.entity, i.field) in activities}
    if entity.related:
        named = {r.list for r in entity.related}
        made = [_list(store, entity, name, (), None) for name in parts if name not in named]
        made += [_list(store, entity, r.list, r.columns, r.label) for r in entity.related if r.list not in told]
    else:
        names = [name for name in entity.inverses if name not in told]
        names += [f.key for f in entity.fields.values() if f.type.name == "links"]
        made = [_list(store, entity, name, (), None) for name in names]
    return {found.name: found for found in made if found is not None}


def _list(store: Store, entity: Entity, name: str, columns: tuple[str, ...], label: Any) -> RelatedList | None:
    found = linked_list(store, entity, name)
    if found is None:
        return None
    inverse: Inverse | None = entity.inverses.get(name)
    target = found.target
    is_part = inverse is not None and target.part_of == entity.key and target.parent_field == inverse.field
    label = label or (inverse.label if inverse is not None else entity.fields[name].label)
    shown = columns or (*_default_columns(target, found.link), *found.link_columns)
    return RelatedList(**vars(found), label=label, is_part=is_part, columns=shown)


def _default_columns(target: Entity, without: str) -> tuple[str, ...]:
    """The columns of the target's first list, without the one that points back."""
    view = next((v for v in target.views.values() if v.columns), None)
    own = target.form.sections if target.form else ()
    wanted = view.columns if view else tuple(p.field for s in own for p in s.fields)
    return tuple(c for c in wanted if c != without and c != "position")[:MOST_COLUMNS]


def related_tabs(store: Store, entity: Entity, record: Record, standing: Standing) -> list[Tab]:
    """The tabs beside the timeline."""
    shown = {r.list: r.visible_when for r in entity.related if r.visible_when is not None}
    hidden = {key for key, formula in shown.items() if not standing.holds(formula)}
    return [
        Tab(
            found.name,
            found.label,
            "list-details" if found.is_part else found.target.icon,
            url_for("RelatedView.related", entity=entity.key, id=record.id, name=found.name),
        )
        for found in related_lists(store, entity).values()
        if found.name not in hidden
    ]


class RelatedView(Page):
    """`/e/<entity>/<id>/related/<list>`."""

    @expose("/e/<entity>/<uuid:id>/related/<name>")  # type: ignore[untyped-decorator]
    @signed_in
    def related(self, entity: str, id: UUID, name: str) -> Response:
        """The rows of a related list, with what may be done to it."""
        store = current_store()
        definition = entity_or_404(store, entity)
        with store.transaction():
            record = store.read(entity, id, fields=())
            found = related_lists(store, definition).get(name)
            if found is None:
                abort(404)
            columns = self._columns(store, found)
            sort = self._sort(store, found, columns)
            rows_read, next_cursor = self._page(store, found, record, columns, sort)
            kept = found.values(store, record.ref, [row.id for row in rows_read])
            can_update = store.may("update", entity, record)
        title = found.target.title_field if found.target.title_field in {c.path for c in columns} else None
        edits = can_update and found.many is not None and found.many[1] in store.writable_fields(found.many[0])
        rows = []
        for row in rows_read:
            cells = [
                (c, Markup(c.of(row)), "")
                if c.path not in found.link_columns
                else (
                    c,
                    Markup(c.html(value)) if (value := kept.get(row.id, {}).get(c.path)) is not None else Markup(),
                    self._link_address(record, found, row.id, c.path) if edits else "",
                )
                for c in columns
            ]
            rows.append((row, cells, entity_address(found.target.key, row.id)))
        return self.draw(
            "_related_rows.html" if "cursor" in request.args else "_related.html",
            entity=definition,
            record=record,
            related=found,
            columns=columns,
            title_column=title,
            rows=rows,
            next=next_cursor,
            address=request.script_root + request.path,
            sort=sort[0] if "sort" in request.args and sort else None,
            add=self._add(store, found, record, can_update),
            link=(can_update and found.many is not None) or may_point(store, found),
            may_unlink=(can_update and found.many is not None) or may_leave(store, found),
            edit_lines=url_for("LinesView.edit", entity=entity, id=id, name=name)
            if found.is_part and can_update
            else "",
        )

    @expose("/e/<entity>/<uuid:id>/counts")  # type: ignore[untyped-decorator]
    @signed_in
    def counts(self, entity: str, id: UUID) -> Response:
        """How many there are in each list, for the tabs."""
        store = current_store()
        definition = entity_or_404(store, entity)
        with store.transaction():
            record = store.read(entity, id, fields=())
            lists = related_lists(store, definition)
            counts = {
                key: store.count(r.target.key, where=[r.where(store, record.ref)], cap=99) for key, r in lists.items()
            }
        return jsonify({key: f"{c.n}{'+' if c.capped else ''}" for key, c in counts.items()})

    @expose("/e/<entity>/<uuid:id>/link/<name>", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def link(self, entity: str, id: UUID, name: str) -> Response:
        """Join a record to the list."""
        return self._change(entity, id, name, "link", request.form.get("target"))

    @expose("/e/<entity>/<uuid:id>/unlink/<name>", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def unlink(self, entity: str, id: UUID, name: str) -> Response:
        """Take a record out of the list; the record itself stays."""
        return self._change(entity, id, name, "unlink", request.form.get("target"))

    def _change(self, entity: str, id: UUID, name: str, what: str, target: str | None) -> Response:
        store = current_store()
        definition = entity_or_404(store, entity)
        found = related_lists(store, definition).get(name)
        record = store.read(entity, id, fields=())
        ref = as_ref(target, found.target.key) if found else None
        if found is None or not isinstance(ref, Ref):
            abort(404)
        return join(store, found, record, ref) if what == "link" else part(store, found, record, ref)

    @expose("/e/<entity>/<uuid:id>/related/<name>/<uuid:target>/<column>", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def link_column(self, entity: str, id: UUID, name: str, target: UUID, column: str) -> Response:
        """What is kept with one link: GET gives its editor, POST saves it and answers with what is shown now."""
        store = current_store()
        definition = entity_or_404(store, entity)
        record = store.read(entity, id, fields=())
        found = related_lists(store, definition).get(name)
        if found is None or found.many is None or column not in found.link_columns:
            abort(404)
        if not store.may("update", entity, record) or found.many[1] not in store.writable_fields(found.many[0]):
            raise Forbidden(entity, "update")
        kept = found.values(store, record.ref, [target])
        if target not in kept:
            abort(404)
        field = found.link_columns[column]
        bound = BoundField(store, found.target, field, kept[target][column], compact=True)
        status = 200
        if request.method == "POST":
            raw = widget_of(field).read(submitted(), field)
            other = Ref(found.target.key, target)
            source, far = (record.ref, other) if found.from_owner else (other, record.ref)
            try:
                store.link(found.many[0], source.id, found.many[1], far, {column: None if raw is UNCHANGED else raw})
            except Refused as refused:
                language = store.principal.reader.language
                bound = replace(bound, value=raw, typed=True, errors=[fault_text(f, language) for f in refused.faults])
                status = 422
            else:
                made = next(c for c in self._columns(store, found) if c.path == column)
                value = found.values(store, record.ref, [target])[target][column]
                html = Markup(made.html(value)) if value is not None else Markup()
                address = self._link_address(record, found, target, column)
                return self.draw("_related_link.html", c=made, html=html, edit=address, id=target)
        return self.draw(
            "_inline.html",
            status=status,
            f=bound,
            action=request.script_root + request.path,
            version="",
            in_list=False,
            buttons=bound.widget.stays,
        )

    def _link_address(self, record: Record, found: RelatedList, target: UUID, column: str) -> str:
        return url_for(
            "RelatedView.link_column", entity=record.entity, id=record.id, name=found.name, target=target, column=column
        )

    def _columns(self, store: Store, found: RelatedList) -> Sequence[Column]:
        context = CellContext(store.principal.reader, store.tenant.model, found.target, entity_address)
        readable = store.readable_fields(found.target.key)
        own = {c.path: c for c in columns_for(context, [p for p in found.columns if p.partition(".")[0] in readable])}
        language = store.principal.reader.language
        kept = {
            key: Column(key, found.target, field, field.label.in_language(language), renderer(field, context))
            for key, field in found.link_columns.items()
        }
        return [made for path in found.columns if (made := kept.get(path) or own.get(path)) is not None]

    def _page(
        self, store: Store, found: RelatedList, record: Record, columns: Sequence[Column], sort: Sequence[Sort]
    ) -> tuple[Sequence[Record], str | None]:
        """The rows of a page, and where the next one begins."""
        targets = (c for c in columns if c.path not in found.link_columns)
        own = reads_of(targets, partial(Sight(store).path, found.target))
        here, cursor = found.where(store, record.ref), request.args.get("cursor")
        if not sort or found.many is None or sort[0].path not in found.link_columns:
            page = store.list(found.target.key, columns=own, where=[here], sort=sort, limit=PAGE, cursor=cursor)
            return page.rows, page.next
        ids = self._by_kept(store, found, record, sort[0])
        start = int(cursor) if cursor and cursor.isdecimal() else 0
        part = ids[start : start + PAGE]
        page = store.list(found.target.key, columns=own, where=[here, one_of(part)], limit=PAGE)
        place = {id: n for n, id in enumerate(part)}
        return sorted(page.rows, key=lambda row: place[row.id]), str(start + PAGE) if len(ids) > start + PAGE else None

    def _by_kept(self, store: Store, found: RelatedList, record: Record, sort: Sort) -> list[UUID]:
        """The far ends of the links in the order of what is kept with them; blanks come last."""
        field, reader = found.link_columns[sort.path], store.principal.reader
        kept = found.values(store, record.ref, None)
        choices = [c.key for c in getattr(field.type, "choices", None) or ()]

        def rank(value: Value) -> Any:
            if value in choices:
                return choices.index(value)
            return field.type.display(value, reader).casefold() if isinstance(value, (str, tuple, dict, Ref)) else value

        values = {id: columns[sort.path] for id, columns in kept.items()}
        filled = sorted((id for id, value in values.items() if value is not None), key=lambda id: str(id))
        filled.sort(key=lambda id: rank(values[id]), reverse=sort.descending)
        return [*filled, *sorted((id for id, value in values.items() if value is None), key=str)]

    def _sort(self, store: Store, found: RelatedList, columns: Sequence[Column]) -> tuple[Sort, ...]:
        """What the address asks for, else the order of lines, else that of the target's first list."""
        target, asked = found.target, request.args.get("sort", "")
        if asked.removeprefix("-") in {c.path for c in columns if c.can_sort}:
            return (Sort(asked.removeprefix("-"), asked.startswith("-")),)
        if target.part_of and "position" in target.fields:
            return (Sort("position"),)
        view = next(iter(target.views.values()), None)
        sight = Sight(store)
        return tuple(s for s in view.sort if sight.path(target, s.path)) if view else ()

    def _add(self, store: Store, found: RelatedList, record: Record, can_update: bool) -> dict[str, str] | None:
        """The offer to create a record in the list."""
        if found.is_part or not store.may("create", found.target.key):
            return None
        label = _("New %(thing)s", thing=label_of(found.target, store))
        if found.many is not None:
            if not can_update:
                return None
            return {"label": label, "url": url_for("FormView.new", entity=found.target.key, quick=1), "then": "link"}
        prefix = f"{record.entity}:" if "_entity" in found.target.fields[found.link].type.columns() else ""
        values: dict[str, Any] = {found.link: f"{prefix}{record.id}"}
        return {"label": label, "url": url_for("FormView.new", entity=found.target.key, quick=1, **values), "then": ""}
