"""Likely duplicates of an entity: groups to merge, or to set aside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import redirect, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _
from markupsafe import Markup

from trellis.model.entity import Dedupe, Entity
from trellis.records.merging.duplicates import rules_of
from trellis.records.refusal import Forbidden, Missing
from trellis.records.store import Store, as_id
from trellis.web.cells.registry import CellContext, renderer
from trellis.web.context import current_store
from trellis.web.flashes import toast
from trellis.web.guard import signed_in
from trellis.web.navigation import entity_address
from trellis.web.pages.base import Page
from trellis.web.pages.form import entity_or_404, label_of

SHOWN = 20  # groups on a page
MOST_COLUMNS = 5


@dataclass(frozen=True)
class RuleTab:
    """A rule in the row of tabs."""

    key: str
    label: str


@dataclass(frozen=True)
class Member:
    """A record of a group as a row."""

    id: UUID
    title: str
    address: str
    cells: list[Markup]


@dataclass(frozen=True)
class GroupShown:
    """A group to decide about."""

    ids: str
    records: list[Member]


class DuplicatesView(Page):
    """`/e/<entity>/duplicates`."""

    @expose("/e/<entity>/duplicates")  # type: ignore[untyped-decorator]
    @signed_in
    def index(self, entity: str) -> Any:
        """The groups that a rule finds."""
        store = current_store()
        definition = entity_or_404(store, entity)
        if not store.may_merge(entity):
            raise Forbidden(entity, "merge")
        rules = rules_of(store.session, entity)
        rule = next((r for r in rules if r.key == request.args.get("rule")), rules[0] if rules else None)
        after = request.args.get("after", "").replace("\0", "")[:2000] or None
        groups: list[GroupShown] = []
        following, paths = None, []
        if rule is not None:
            paths = columns_of(store, definition, rule)
            with store.transaction():
                found = store.duplicates(entity, rule.key, after=after, limit=SHOWN)
                groups = shown(store, definition, [g.ids for g in found.groups], paths)
            following = found.next
        language = store.principal.reader.language
        here = url_for("DuplicatesView.index", entity=entity, rule=rule.key if rule else None, after=after)
        return self.draw(
            "duplicates.html",
            entity=definition,
            rules=[RuleTab(r.key, rule_label(definition, r, language)) for r in rules],
            rule=rule.key if rule else "",
            label=rule_label(definition, rule, language) if rule else "",
            groups=groups,
            columns=[definition.fields[p] for p in paths],
            next=following,
            after=after or "",
            here=here,
            back=entity_address(entity),
        )

    @expose("/e/<entity>/duplicates/apart", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def apart(self, entity: str) -> Any:
        """These are not the same: remembered, so that nobody is asked again."""
        store = current_store()
        entity_or_404(store, entity)
        try:
            store.not_duplicates(entity, [as_id(id) for id in request.form.getlist("ids")])
            toast(_("Remembered: these are not duplicates"))
        except Missing:
            toast(_("One of the records does not exist any more."), kind="error")
        wanted = {key: request.form[key] for key in ("rule", "after") if request.form.get(key)}
        return redirect(url_for("DuplicatesView.index", entity=entity, **dict[str, Any](wanted)), 303)


def rule_label(entity: Entity, rule: Dedupe, language: str) -> str:
    """What a rule compares, in words: Name (similar), City."""
    parts = []
    for match in rule.match:
        label = entity.fields[match.field].label.in_language(language)
        if match.how == "similar":
            label = _("%(field)s (similar)", field=label)
        elif match.how == "domain":
            label = _("%(field)s (same site)", field=label)
        parts.append(label)
    return ", ".join(parts)


def columns_of(store: Store, entity: Entity, rule: Dedupe) -> list[str]:
    """What tells the records apart: the fields that are compared, then those of the first list."""
    readable = set(store.readable_fields(entity.key))
    listed = next((v.columns for v in entity.views.values() if v.type == "list"), ())
    wanted = [*(m.field for m in rule.match), *(c for c in listed if "." not in c), entity.owner_field or ""]
    titled = entity.title_field
    return [p for p in dict.fromkeys(wanted) if p in readable and p != titled and p in entity.fields][:MOST_COLUMNS]


def shown(store: Store, entity: Entity, groups: list[tuple[UUID, ...]], paths: list[str]) -> list[GroupShown]:
    """The groups with their records, all of them read at once."""
    ids = [id for group in groups for id in group]
    context = CellContext(store.principal.reader, store.tenant.model, entity, entity_address)
    draw = {p: renderer(entity.fields[p], context) for p in paths}
    members: dict[UUID, Member] = {}
    for start in range(0, len(ids), 50):
        some = " or ".join(f'id == "{id}"' for id in ids[start : start + 50])
        for record in store.list(entity.key, columns=paths, where=[some], limit=50).rows:
            cells = [Markup("") if record[p] in (None, "", ()) else Markup(draw[p](record[p])) for p in paths]
            title = record.title or label_of(entity, store)
            members[record.id] = Member(record.id, title, entity_address(entity.key, record.id), cells)
    listed = [[members[id] for id in group if id in members] for group in groups]
    return [GroupShown(",".join(str(m.id) for m in group), group) for group in listed if len(group) > 1]
