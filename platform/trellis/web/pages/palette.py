"""Search and commands (Ctrl/⌘ K): records of every readable entity, pages, "New …", what was looked at last."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import Response, jsonify, render_template, request
from flask_appbuilder import expose
from flask_babel import gettext as _
from markupsafe import Markup, escape

from trellis.model.fields.contact import Phone
from trellis.records.refusal import Forbidden, Missing
from trellis.records.store import as_id
from trellis.reports.dashboards.seen import dashboards_of
from trellis.reports.seen import reports_of
from trellis.web.cells.markup import avatar
from trellis.web.cells.markup import icon as draw
from trellis.web.context import current_language, current_model, current_reader, current_store, may
from trellis.web.guard import signed_in
from trellis.web.lists.desk import lower_first
from trellis.web.lists.grid import record_address
from trellis.web.lists.recent import remember
from trellis.web.navigation import address, entity_address, readable_entities, sidebar
from trellis.web.pages.base import Page
from trellis.web.reports.shelf import kept_reports

if TYPE_CHECKING:
    from trellis.model.entity import Entity
    from trellis.records.record import Choice

PHONE = Phone()
E164 = re.compile(r"\+\d{5,15}")
FOUND = 8
OFFERED = 6
RECENT = 6


@dataclass(frozen=True)
class Entry:
    """One line of the palette."""

    label: Markup
    href: str
    face: Markup
    detail: Markup | str = ""
    kind: str = ""
    key: str = ""


@dataclass(frozen=True)
class Group:
    """Lines under a heading."""

    label: str
    entries: list[Entry]


class PaletteView(Page):
    """`/search`: the palette's lines for what is typed."""

    @expose("/search")  # type: ignore[untyped-decorator]
    @signed_in
    def search(self) -> str:
        """Groups of lines; without a search, what was looked at last and where one can go."""
        q = request.args.get("q", "").replace("\0", "").strip()[:200]
        here = request.args.get("here", "")
        first = Group(_("Records"), records_found(q)) if q else Group(_("Recent"), recently())
        groups = [first, Group(_("Go to"), destinations(q, here)), Group(_("Create"), creations(q, here))]
        if q:  # what names the words comes before what is offered for any words
            groups.append(Group(_("In this list"), search_here(q, here)))
        return render_template("_palette.html", groups=[g for g in groups if g.entries], q=q)

    @expose("/recent", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def recent(self) -> Response:
        """Notes that a record was looked at: told by the page once it is there, so that nobody waits for it."""
        key, _sep, id = request.form.get("place", "").partition("/")
        store = current_store()
        with suppress(Missing, Forbidden):
            remember(store, key, store.read(key, as_id(id), fields=()).id)
        return Response(status=204)

    @expose("/keys")  # type: ignore[untyped-decorator]
    @signed_in
    def keys(self) -> Response | str:
        """The keyboard's help; with `?letters=1` the addresses behind `g`."""
        if "letters" in request.args:
            return jsonify({letter: entity_address(key) for letter, key, _label in letters()})
        return render_template("_keys.html", letters=letters())


def records_found(q: str) -> list[Entry]:
    """Records that match, the best first."""
    model, store, language = current_model(), current_store(), current_language()
    entries: list[Entry] = []
    for hit in store.search(q, limit=FOUND):
        entity = model.entities[hit.ref.entity]
        entries.append(
            Entry(
                marked(hit.title, q),
                record_address(entity.key, hit.ref.id),
                Markup(face_of(entity, hit.title, str(hit.ref.id))),
                second_line(hit, q),
                entity.label.in_language(language),
            )
        )
    return entries


def second_line(hit: Choice, q: str) -> Markup:
    """What tells a hit apart: its details, or the old name that it was found by."""
    if hit.merged_from:
        return Markup("{} {}").format(_("merged from"), marked(hit.merged_from, q))
    reader = current_reader()
    parts = [PHONE.show_one(part, reader) if E164.fullmatch(part) else part for part in hit.detail.split(" · ")]
    return marked(" · ".join(parts), q) if hit.detail else Markup("")


def face_of(entity: Entity, title: str, id: str) -> str:
    """A record's face: initials for whoever has a name, the entity's icon otherwise."""
    if entity.title_field and entity.fields[entity.title_field].type.name in ("name", "text"):
        return avatar(title, id, square=entity.fields[entity.title_field].type.name == "text").replace(
            'class="t-av', 'class="t-av t-av-24', 1
        )
    return f'<span class="t-tile c-{entity.color or "indigo"}">{draw(entity.icon)}</span>'


def recently() -> list[Entry]:
    """What was looked at last: the browser keeps the addresses, here they are read as far as they may be seen."""
    model, store, language = current_model(), current_store(), current_language()
    entries: list[Entry] = []
    for place in request.args.get("recent", "").split(",")[:RECENT]:
        key, _, id = place.partition("/")
        if key not in model.entities:
            continue
        try:
            record = store.read(key, as_id(id), fields=())
        except (Missing, Forbidden):
            continue
        entity = model.entities[key]
        entries.append(
            Entry(
                escape(record.title or "—"),
                record_address(key, record.id),
                Markup(face_of(entity, record.title, str(record.id))),
                kind=entity.label.in_language(language),
            )
        )
    return entries


def creations(q: str, here: str) -> list[Entry]:
    """“New …” for the entities that match the words, or for the one at hand."""
    store, language = current_store(), current_language()
    plus = Markup(f'<span class="t-tile">{draw("plus")}</span>')
    entries: list[Entry] = []
    for entity in in_order(here):
        label = lower_first(entity.label.in_language(language))
        words = _("New %(thing)s", thing=label)
        is_here = entity.key == here
        if (q and not matches(q, words)) or not store.may("create", entity.key):
            continue
        key = "C" if is_here else ""
        entries.append(Entry(escape(words), entity_address(entity.key, "new"), plus, key=key))
    return entries[: OFFERED if q else 4]


def destinations(q: str, here: str) -> list[Entry]:
    """Pages that match the words."""
    language = current_language()
    entries: list[Entry] = []
    keyed = {key: letter for letter, key, _label in letters()}
    for entity in in_order(here):
        label = entity.plural.in_language(language)
        if q and not matches(q, label):
            continue
        face = Markup(f'<span class="t-tile c-{entity.color or "indigo"}">{draw(entity.icon)}</span>')
        key = f"G {keyed[entity.key].upper()}" if entity.key in keyed else ""
        entries.append(Entry(marked(label, q), entity_address(entity.key), face, kind=_("List"), key=key))
    pages = [(_("Home"), "home", ""), (_("Profile"), "user-circle", "profile")]
    if may("reports"):
        pages.append((_("Reports"), "chart-bar", "reports/"))
    if may("admin"):
        pages.append((_("Settings"), "settings", "settings"))
    for label, icon, path in pages:
        if not q or matches(q, label):
            face = Markup(f'<span class="t-tile">{draw(icon)}</span>')
            entries.append(Entry(marked(label, q), address(path), face, kind=_("Page")))
    for report in reports_of(current_store()) if q and may("reports") else ():
        if matches(q, label := report.label.in_language(language)):
            face = Markup(f'<span class="t-tile c-indigo">{draw(report.icon)}</span>')
            entries.append(Entry(marked(label, q), address(f"reports/{report.key}"), face, kind=_("Report")))
    for kept in kept_reports(current_store(), q) if q and may("reports") else ():
        if matches(q, kept.label):
            face = Markup(f'<span class="t-tile c-teal">{draw(kept.icon)}</span>')
            entries.append(Entry(marked(kept.label, q), kept.href, face, kind=_("Report")))
    for dashboard in dashboards_of(current_store()) if q else ():
        if matches(q, label := dashboard.label.in_language(language)):
            face = Markup(f'<span class="t-tile c-indigo">{draw(dashboard.icon)}</span>')
            entries.append(Entry(marked(label, q), address(f"dashboards/{dashboard.key}"), face, kind=_("Dashboard")))
    return entries[:OFFERED] if q else entries


def search_here(q: str, here: str) -> list[Entry]:
    """The search of the list at hand."""
    entity = current_model().entities.get(here)
    if entity is None or not current_store().may("read", here):
        return []
    things = lower_first(entity.plural.in_language(current_language()))
    words = _("Search %(things)s for “%(q)s”", things=things, q=q)
    face = Markup(f'<span class="t-tile">{draw("filter")}</span>')
    return [Entry(escape(words), f"{entity_address(here)}?{urlencode({'q': q})}", face, key="/")]


def in_order(here: str) -> list[Entity]:
    """The readable entities, the one at hand first."""
    entities = readable_entities()
    return sorted(entities, key=lambda e: e.key != here)


def letters() -> list[tuple[str, str, str]]:
    """The letter after `g` for each entity: its first one if free, in the sidebar's order; else another."""
    language = current_language()
    shown = [link.key for group in sidebar() for link in group.links]
    entities = sorted(readable_entities(), key=lambda e: shown.index(e.key) if e.key in shown else len(shown))
    taken: dict[str, str] = {"h": ""}  # g h is home
    given: dict[str, str] = {}
    for at_most in (1, None):
        for entity in entities:
            name = [c for c in entity.plural.source.lower() if c.isascii() and c.isalpha()][:at_most]
            letter = next((c for c in name if c not in taken), None)
            if letter and entity.key not in given:
                given[entity.key] = taken[letter] = letter
    return [(given[e.key], e.key, e.plural.in_language(language)) for e in entities if e.key in given]


def matches(q: str, label: str) -> bool:
    """Whether every word of the search begins a word of the label, or is part of it where words are not parted."""
    folded = label.casefold()
    return all(re.search(rf"\b{re.escape(word)}", folded) or word in folded for word in q.casefold().split())


def marked(text: str, q: str) -> Markup:
    """Text with what was searched for marked."""
    words = [re.escape(word) for word in q.split() if word]
    if not words:
        return escape(text)
    parts = re.split(f"({'|'.join(words)})", text, flags=re.IGNORECASE)
    return Markup("").join(
        Markup('<mark class="t-mark">{}</mark>').format(part) if at % 2 else escape(part)
        for at, part in enumerate(parts)
    )
