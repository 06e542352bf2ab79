"""What the record page shows of a record: its fields in sections, badges, path, and what may be done with it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as dc_field
from datetime import timedelta
from functools import cached_property
from uuid import UUID

from flask import render_template
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from trellis.automation.documents import maker
from trellis.automation.workflows.buttons import Button, offered
from trellis.automation.workflows.enrolling import sequences_of
from trellis.formula.types import Ref
from trellis.identity.person import CONTACT
from trellis.identity.portal import has_portal
from trellis.model.automation.document import DocumentTemplate
from trellis.model.conversion import CONVERTED_AT, became_field
from trellis.model.entity import Entity
from trellis.records.pools.place import Place as PoolPlace
from trellis.records.pools.place import place_of
from trellis.records.reading.pointing import pointing_at
from trellis.records.reading.standing import Standing
from trellis.records.record import Record
from trellis.records.store import Store
from trellis.web.cells.registry import CellContext, renderer
from trellis.web.context import may as may_right
from trellis.web.navigation import entity_address, url_for
from trellis.web.pages.approvals import Asking, asking
from trellis.web.pages.convert import verb_of
from trellis.web.pages.letters import may_write
from trellis.web.pages.privacy import may_see_privacy
from trellis.web.pages.props import Prop, PropSection, shown_value
from trellis.web.pages.scores import with_why
from trellis.web.pages.stages import Path, path_of
from trellis.web.service_levels import Standing as ServiceStanding
from trellis.web.service_levels import standings
from trellis.web.ui import badge
from trellis.web.widgets.form import form_of

MOST_BADGES = 3
POOL_SOON = timedelta(days=3)
DECIDED = {"restricted": _l("Processing restricted"), "erased": _l("Personal data erased")}


@dataclass
class RecordPage:
    """Everything that the record page shows of the record itself."""

    store: Store
    entity: Entity
    record: Record
    props: dict[str, Prop]
    sections: list[PropSection]
    badges: list[Markup]
    chips: list[Markup]
    path: Path | None
    high: list[Prop]
    may: Mapping[str, bool] = dc_field(default_factory=dict)
    became: list[Prop] = dc_field(default_factory=list)  # of a converted record
    came: list[Markup] = dc_field(default_factory=list)  # the converted records that became this one
    is_followed: bool = False
    above: Sequence[tuple[str, str]] = ()  # (title, address) of what stands above it in its tree, the topmost first

    @property
    def convert_label(self) -> str:
        """What converting this record is called."""
        return verb_of(self.store.tenant.model.conversions[self.entity.key], self.store.principal.reader.language)

    @cached_property
    def buttons(self) -> list[Button]:
        """The buttons that workflows offer on the record as it is now."""
        return list(offered(self.store, self.entity.key, self.record.id)) if self.record.deleted_at is None else []

    @cached_property
    def papers(self) -> list[DocumentTemplate]:
        """The papers that can be made of the record."""
        return maker.offered(self.store, self.entity.key, self.record.id) if self.record.deleted_at is None else []

    @cached_property
    def asked(self) -> list[Asking]:
        """Whose approval the record waits for."""
        return asking(self.store, self.record.ref) if self.record.deleted_at is None else []

    @cached_property
    def service_levels(self) -> list[ServiceStanding]:
        """How the record stands with its service levels."""
        return standings(self.store, self.entity, self.record)

    @cached_property
    def pool(self) -> PoolPlace | None:
        """Where the record stands with its pool."""
        return place_of(self.store, self.entity.key, self.record.id) if self.record.deleted_at is None else None

    @property
    def pool_hidden(self) -> str:
        """What the pool hides until it is claimed, in words."""
        language = self.store.principal.reader.language
        names = self.pool.hidden if self.pool is not None else ()
        return str(_(", ")).join(self.entity.fields[name].label.in_language(language) for name in names)

    @property
    def pool_is_soon(self) -> bool:
        """Whether the record goes back within a few days."""
        at = self.pool.returns_at if self.pool is not None and self.pool.locked_until is None else None
        return at is not None and at - self.store.principal.reader.now < POOL_SOON

    @property
    def may_write(self) -> bool:
        """Whether a letter can be written about the record."""
        return self.record.deleted_at is None and not self.entity.part_of and may_write(self.store)

    @property
    def _answers(self) -> Ref | None:
        """What a letter is about whose page this is: answering it is writing about that."""
        about = self.record.get("about") if self.entity.key == "email_message" else None
        return about if isinstance(about, Ref) else None

    @property
    def letters_entity(self) -> str:
        """What a letter that is written here is about."""
        return self._answers.entity if self._answers is not None else self.entity.key

    @property
    def letters_id(self) -> UUID:
        """The record that it is about."""
        return self._answers.id if self._answers is not None else self.record.id

    @property
    def letters_reply(self) -> str | None:
        """The letter that it answers."""
        return str(self.record.id) if self.entity.key == "email_message" else None

    @property
    def has_sequences(self) -> bool:
        """Whether there are series of letters that the record may be in."""
        return self.record.deleted_at is None and bool(sequences_of(self.store.tenant, self.entity.key))

    @property
    def may_merge(self) -> bool:
        """Whether the menu offers to merge the record with others."""
        return self.record.deleted_at is None and self.may["update"] and self.store.may_merge(self.entity.key)

    @property
    def may_share(self) -> bool:
        """Whether the menu offers to share the record with somebody; the dialog asks about this very record."""
        shareable = not (self.entity.part_of or self.entity.internal)
        return shareable and self.may["update"] and self.store.may("share", self.entity.key)

    @property
    def may_invite(self) -> bool:
        """Whether the menu offers to let the contact into the portal."""
        return self.entity.key == CONTACT and may_right("admin") and has_portal(self.store.tenant)

    @property
    def may_privacy(self) -> bool:
        """Whether the menu leads to what is held about the person."""
        return may_see_privacy(self.entity)

    @property
    def may_explain(self) -> bool:
        """Whether the menu offers to say who may see the record, and why."""
        return may_right("admin")

    @property
    def number(self) -> str:
        """The record's own number, unless it is the title already."""
        key = self.entity.natural_key
        field = self.entity.fields.get(key or "")
        value = self.record.get(key or "") if field is not None else None
        text = "" if value is None or field is None else field.type.display(value, self.store.principal.reader)
        return "" if text in self.record.title else text

    @property
    def tabs(self) -> list[tuple[str, list[PropSection]]]:
        """The sections by tab."""
        tabs: dict[str, list[PropSection]] = {}
        for section in self.sections:
            tabs.setdefault(section.tab, []).append(section)
        return list(tabs.items())


def read_page(store: Store, entity: Entity, record: Record, standing: Standing | None = None) -> RecordPage:
    """Bring a record into the shape of its page."""
    standing = standing or Standing(store, entity, record)
    context = CellContext(store.principal.reader, store.tenant.model, entity, entity_address)
    readable, writable = store.readable_fields(entity.key), store.writable_fields(entity.key)
    language = store.principal.reader.language
    conversion = store.tenant.model.conversions.get(entity.key)
    converted = conversion is not None and record.get(CONVERTED_AT) is not None
    beside = store.beside(entity.key, record.id)
    is_restricted = "restricted" in beside.decided
    locked = store.lock_on(entity.key, record.id, is_restricted=is_restricted)
    live = record.deleted_at is None and locked is None
    may = {action: live and store.may(action, entity.key, record) for action in ("update", "delete")}
    may["convert"] = live and not converted and store.may_convert(entity.key, record.id)
    may["create"] = store.may("create", entity.key)
    address = url_for("FieldView.field", entity=entity.key, id=record.id, field="")

    def prop(key: str) -> Prop:
        field, value = entity.fields[key], record.get(key)
        empty = value is None or value in ((), "")
        can = may["update"] and key in writable and not standing.is_closed(field)
        html = Markup()
        if not empty:
            html = shown_value(entity, record, field, value) or Markup(renderer(field, context)(value))
            html = with_why(store, entity.key, record.id, key, html)
        return Prop(field, html, address + key if can else "", empty, field.label.in_language(language))

    shown = [key for key in entity.fields if key in readable]
    props = {key: prop(key) for key in shown}
    sections = []
    for section in form_of(entity, store.principal.roles).sections:
        if section.visible_when is not None and not standing.holds(section.visible_when):
            continue
        listed = [
            props[p.field]
            for p in section.fields
            if p.field in props and "form" not in entity.fields[p.field].hidden
            if standing.is_visible(entity.fields[p.field])
        ]
        if listed:
            tab = section.tab.in_language(store.principal.reader.language) if section.tab else ""
            sections.append(PropSection(section.key, section.label, listed, tab))
    path = path_of(store, entity, record, may_update=may["update"])
    badges, chips = _subtitle(entity, record, props, path)
    badges += [badge(words, "orange") for state, words in DECIDED.items() if state in beside.decided]
    high = [props[key] for key in entity.highlights if key in props and not (path and key == path.pipeline.field)]
    became = [
        props[key]
        for key in (became_field(target) for target in (conversion.into if converted and conversion else ()))
        if key in props and not props[key].is_empty
    ]
    came = _came_from(store, entity, record, context, beside.sources)
    above = [(ref.title or "–", entity_address(ref.entity, ref.id)) for ref in store.breadcrumbs(entity.key, record.id)]
    return RecordPage(
        store,
        entity,
        record,
        props,
        sections,
        badges,
        chips,
        path,
        high,
        may,
        became,
        came,
        is_followed=beside.is_followed,
        above=above,
    )


def _came_from(
    store: Store, entity: Entity, record: Record, context: CellContext, sources: Collection[str]
) -> list[Markup]:
    """Links to the records that became this one; `sources`: of which entities there are any."""
    found: list[Markup] = []
    field = became_field(entity.key)
    for key in sources:
        source = store.tenant.model.entities[key]
        if store.may("read", key) and field in store.readable_fields(key):
            where = [pointing_at(source, field, record.ref)]
            page = store.list(source.key, columns=[], where=where, limit=MOST_BADGES)
            draw = renderer(source.fields[field], replace(context, entity=source))
            found += [Markup(draw(row.ref)) for row in page.rows]
    return found


def _subtitle(
    entity: Entity, record: Record, props: Mapping[str, Prop], path: Path | None
) -> tuple[list[Markup], list[Markup]]:
    """The badges (stage and choices) and chips (the first link, the owner) under the title."""
    badges: list[Markup] = []
    if path is not None and path.badge:
        badges.append(path.badge)
    first = entity.form.sections[:1] if entity.form else ()
    wanted = [*entity.highlights, *(place.field for section in first for place in section.fields)]
    chips: list[Markup] = []
    for key in dict.fromkeys(wanted):
        prop = props.get(key)
        if prop is None or prop.is_empty or prop.field.system or (path and key == path.pipeline.field):
            continue
        if prop.field.type.name == "choice" and len(badges) < MOST_BADGES:
            badges.append(prop.html)
        elif prop.field.type.name == "link" and not chips and key != entity.owner_field:
            chips.append(prop.html)
    owner = props.get(entity.owner_field or "")
    if owner is not None and not owner.is_empty:
        chips.append(owner.html)
    return badges, chips


def record_parts(store: Store, entity: Entity, record: Record) -> str:
    """The parts of the page that change with the record, for the script that edits in place."""
    with store.transaction():
        page = read_page(store, entity, record)
    return render_template("_record_parts.html", page=page, entity=entity, record=record)
