"""The audit log: what happened to security and data, searched by person, kind, time and words; for administrators."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Response, request, stream_with_context
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.identity.devices import device_of
from trellis.model.entity import Entity
from trellis.storage.audit import GROUPS, note
from trellis.storage.audit.reading import Entry as Told
from trellis.storage.audit.reading import Wanted, lines, people, read
from trellis.web.audit_words import DETAIL_WORDS, GROUP_WORDS, KIND_WORDS, MEANS_WORDS
from trellis.web.context import current_model, current_reader, current_tenant, serving
from trellis.web.guard import needs
from trellis.web.i18n import say
from trellis.web.navigation import entity_address
from trellis.web.pages.base import Page
from trellis.web.sign_in_words import means_words

PAGE = 50
INTERNAL = frozenset({"user", "team"})


@dataclass(frozen=True)
class Line:
    """An entry as the page shows it."""

    entry: Told
    words: Any
    icon: str
    means: Any
    about: str  # what it is about, in words
    address: str
    details: list[tuple[str, str]]


class AuditView(Page):
    """`/admin/audit`."""

    @expose("/admin/audit")  # type: ignore[untyped-decorator]
    @needs("admin")
    def audit(self) -> Response:
        """The entries, the newest first; `?who= &kind= &from= &to= &q=` narrow them, `&before=` turns the page."""
        tenant = current_tenant()
        wanted, asked, wrong = _wanted()
        with tenant.begin() as connection:
            entries = read(connection, tenant, wanted, limit=PAGE + 1, before=request.args.get("before", type=int))
            known = people(connection, tenant)
        names = dict(known)
        older = ""
        if len(entries) > PAGE:
            entries = entries[:PAGE]
            older = "?" + urlencode({**{k: v for k, v in asked.items() if v}, "before": entries[-1].id})
        return self.draw(
            "audit.html",
            status=422 if wrong else 200,
            lines=[_line(entry, names) for entry in entries],
            asked=asked,
            wrong=wrong,
            is_narrowed=any(asked.values()),
            older=older,
            people=known,
            groups=[
                (group, GROUP_WORDS[group][0], [(f"{group}.{n}", KIND_WORDS[f"{group}.{n}"]) for n in names])
                for group, names in GROUPS.items()
            ],
        )

    @expose("/admin/audit/check", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("admin")
    def check(self) -> Response:
        """Check the chain now, and say what is wrong with it."""
        from trellis.storage.audit.anchors import verify_tenant
        from trellis.storage.audit.verify import verify

        tenant, catalogue = current_tenant(), serving().catalogue
        if catalogue is not None:
            verdict = verify_tenant(catalogue, tenant)
        else:
            with tenant.begin() as connection:
                verdict = verify(connection, tenant)
        return self.draw("audit_check.html", verdict=verdict)

    @expose("/admin/audit/export", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("admin")
    def export(self) -> Response:
        """The whole log as JSON lines, with the hashes and all that they are made of."""
        tenant = current_tenant()
        with tenant.begin() as connection:
            note(connection, tenant, "company.log-exported")

        def told() -> Iterator[str]:
            with tenant.begin() as connection:
                for line in lines(connection, tenant):
                    yield line + "\n"

        name = f"{tenant.slug}-audit-{datetime.now(UTC):%Y%m%d-%H%M}.jsonl"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(stream_with_context(told()), mimetype="application/jsonl", headers=headers)


def _wanted() -> tuple[Wanted, dict[str, str], dict[str, str]]:
    """What the address asks for, as it was typed, and what of it is no date or person."""
    asked = {name: request.args.get(name, "").strip() for name in ("q", "who", "kind", "from", "to", "record")}
    wrong: dict[str, str] = {}
    since, until = _day(asked, "from", wrong), _day(asked, "to", wrong)
    if since is not None and until is not None and until < since and not wrong:
        wrong["to"] = _("The last day is before the first.")
    wanted = Wanted(
        by=_id(asked["who"]),
        kind=asked["kind"] if asked["kind"] in GROUPS or asked["kind"] in KIND_WORDS else "",
        since=_start(since),
        until=_start(until + timedelta(days=1)) if until is not None else None,
        words=asked["q"],
        record=_id(asked["record"]),
    )
    return wanted, asked, wrong


def _day(asked: dict[str, str], name: str, wrong: dict[str, str]) -> date | None:
    try:
        return date.fromisoformat(asked[name]) if asked[name] else None
    except ValueError:
        wrong[name] = _("This is no date.")
        return None


def _start(day: date | None) -> datetime | None:
    """The beginning of a day where the reader is."""
    if day is None:
        return None
    return datetime.combine(day, time.min, current_reader().time_zone)


def _id(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _line(entry: Told, names: Mapping[UUID, str]) -> Line:
    group = entry.kind.partition(".")[0]
    entity = current_model().entities.get(entry.entity or "")
    about, address = entry.label, ""
    if entity is not None:
        called = entry.label or (names.get(entry.record, "") if entity.key == "user" and entry.record else "")
        about = _("%(words)s: %(more)s", words=say(entity.label), more=called) if called else str(say(entity.label))
        if entry.record is not None and not entry.kind.endswith("purged"):
            is_page = entity.key not in INTERNAL
            address = entity_address(entity.key, entry.record) if is_page else _person_address(entry)
    return Line(
        entry,
        KIND_WORDS.get(entry.kind, entry.kind),
        GROUP_WORDS[group][1] if group in GROUP_WORDS else "point",
        MEANS_WORDS.get(entry.means, entry.means),
        about,
        address,
        [(_field_name(entity, n), _value_words(group, n, v)) for n, v in _details(entry.details)],
    )


def _person_address(entry: Told) -> str:
    return f"{request.script_root}/admin/users/{entry.record}" if entry.entity == "user" else ""


def _value_words(group: str, name: str, value: str) -> str:
    """A detail's value for people: a browser in two words, how somebody came in."""
    if name == "agent":
        device = device_of(value)
        return ", ".join(part for part in (device.browser, device.system) if part) or value
    if name == "how" and group in ("sign-in", "credential", "person"):
        return means_words(value)
    return value


def _field_name(entity: Entity | None, name: str) -> str:
    """A detail by the label of the field that it is about."""
    field = entity.fields.get(name) if entity is not None else None
    return str(DETAIL_WORDS.get(name, name)) if field is None else str(say(field.label))


def _details(details: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Details as pairs; what lies deeper with the way to it."""
    for name, value in details.items():
        path = f"{prefix}{name}"
        if isinstance(value, dict) and set(value) == {"from", "to"}:
            yield path, f"{_plain(value['from'])} → {_plain(value['to'])}"
        elif isinstance(value, dict):
            yield from _details(value, f"{path}.")
        else:
            yield path, _plain(value)


def _plain(value: Any) -> str:
    if value is None or value == []:
        return "–"
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    return ", ".join(_plain(v) for v in value) if isinstance(value, list) else str(value)
