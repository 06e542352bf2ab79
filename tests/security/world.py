"""Two tenants, the people of one of them, a record that belongs to one of them, and requests about it."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from dataclasses import field as dc_field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from tests.conftest import layers_of
from tests.security.table import IN, Ask
from tests.web.frame_tenants import PEOPLE, add_person, signed_in_client
from werkzeug.datastructures import MultiDict
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from trellis.api import rates
from trellis.api.app import add_api
from trellis.formula.reader import Reader
from trellis.formula.types import Ref
from trellis.identity.api_keys import create_key, revoke_key
from trellis.identity.person import principal_for, read_person_by_id
from trellis.identity.sessions import digest
from trellis.records.principal import Principal
from trellis.records.store import Store
from trellis.records.writing.files import save_file
from trellis.storage.secrets import use_installation_key
from trellis.storage.tenant import Tenant
from trellis.studio.app import add_studio
from trellis.web.app import create_tenant_app
from trellis.web.refusals import HEADER
from trellis.web.settings import Settings

CRM = (
    PEOPLE
    + """
entity: account
label: Account
plural: Accounts
title: name
fields:
  name:    {type: text, required: true, search: true}
  city:    {type: text, label: City, help: "A city </script><i onx=1>"}
  founded: {type: date}
  heat:    {type: integer}
  owner:   {type: user, default: =me, role: owner}
  scan:    {type: file, multiple: true}
  labels:  {type: tags}
  friends: {type: links, to: account, inverse: friend_of, columns: {since: {type: date}}}
views:
  board: {type: kanban, label: Board, group: stage}
dedupe:
  name: {match: [name], action: warn}
---
entity: line
label: Line
part_of: account
title: name
fields: {name: {type: text, required: true}}
---
entity: contact
label: Contact
title: name
fields:
  name:    {type: text, required: true, search: true}
  account: {type: link, to: account, inverse: contacts}
  owner:   {type: user, default: =me, role: owner}
---
entity: note
label: Note
title: text
fields:
  text:  {type: text, required: true}
  about: {type: any_link, to: [account], inverse: notes}
---
entity: lead
label: Lead
title: name
fields:
  name:  {type: text, required: true, search: true}
  owner: {type: user, default: =me, role: owner}
---
convert: lead
into:
  account: {match: [name], set: {name: =name}}
---
document: paper
entity: account
name: "{{ name }}"
body: "Paper of {{ name }}"
---
workflow: press
on: {button: {entity: account, label: Press}}
steps: [{log: pressed}]
---
report: names
label: Names
entity: account
group: {name: name}
measures: {n: count()}
---
dashboard: board
widgets: {names: {list: account, columns: [name]}, table: {table: names}}
---
scoring: heat
entity: account
field: heat
fit: {named: {when: not is_blank(name), points: 3}}
---
pool: desk
entity: lead
members: {roles: [seller]}
admins: {roles: [admin, seller]}
lock: {for: 3 days}
---
pipeline: care
entity: account
default: true
stages: {new: {label: New, checklist: {asked: Asked}}, done: {label: Done, type: won}}
---
role: admin
label: Administrator
grants:
  "*": {read: all, create: true, update: all, delete: all, restore: all, export: true, import: all, merge: all,
        bulk-edit: all, convert: all}
allow: [admin, api, import, merge, bulk-edit, reports]
---
role: seller
label: Seller
grants:
  "*": {read: own, create: true, update: own, delete: own, restore: own, export: own, import: own, merge: own,
        bulk-edit: own, convert: own}
  line: {read: all, create: true, update: all, delete: all}
  note: {read: all, create: true}
  user: {read: all}
  team: {read: all}
allow: [api, import, merge, bulk-edit, reports]
---
role: viewer
label: Viewer
grants: {"*": {read: all}}
allow: [api]
---
role: outsider
label: Outsider
grants: {}
"""
)
BREAKS_OUT = "</script><i onx=1>"
"""Stands in every label and every name: where a page shows it as it is, somebody else's words become its markup."""
CRM = re.sub(r"\b(label|plural|message): ([A-Z]\w+)", rf'\1: "\2 {BREAKS_OUT}"', CRM)
CANARY = "Mine CANARY"
NOTED = ("_session", "_api_key", "_rate", "_audit", "_audit_seal", "_access")
"""The tables that note who asked."""

_numbers = itertools.count(1)


class Names(dict[str, str]):
    """What the placeholders of the table stand for: made when first asked for, and the owner's."""

    def __init__(self, world: World) -> None:
        super().__init__(n=str(next(_numbers)))
        self._world = world

    def __missing__(self, name: str) -> str:
        self[name] = found = str(getattr(self, f"_make_{name}")())
        return found

    def _new(self, entity: str, what: str = "", **more: Any) -> UUID:
        name = f"{CANARY} {what} {next(_numbers)} {BREAKS_OUT}"
        values = {"name": name, "owner": self._world.people["owner"], **more}
        return self._world.system.create(entity, values).id

    def _make_id(self) -> UUID:
        files = [{"id": self["file"], "name": "scan.pdf", "size": 10, "type": "application/pdf"}]
        lines = [{"name": f"{CANARY} line {BREAKS_OUT}"}]
        id = self._new("account", scan=files, city=f"{CANARY}{BREAKS_OUT}", friends=[self["friend"]], lines=lines)
        self._new("contact", "contact", account=id)
        return id

    def _make_contact(self) -> UUID:
        return self._new("contact", "contact", account=self["id"])

    def _make_friend(self) -> UUID:
        return self._new("account", "friend")

    def _make_second(self) -> UUID:
        return self._new("account", "second")

    def _make_fan(self) -> UUID:
        return self._new("account", "fan", friends=[self["id"]])

    def _make_lead(self) -> UUID:
        return self._new("lead", "lead")

    def _make_gone(self) -> UUID:
        id = self._new("account", "gone")
        self._world.system.delete("account", id)
        return id

    def _make_merge(self) -> UUID:
        store, loser = self._world.system, self._new("account", "loser")
        store.merge("account", self["id"], [loser])
        return store.merges("account", self["id"])[0].id

    def _make_batch(self) -> UUID:
        store = self._world.system
        with store.batch("edit", "account") as batch:
            store.update_many("account", [(UUID(self["id"]), {"founded": "2020-01-01"})], means="bulk")
        table = self._world.tenant.tables.platform.batch
        with self._world.tenant.begin() as connection:
            connection.execute(sa.update(table).where(table.c.id == batch.id).values(by=self._world.people["owner"]))
        return batch.id

    def _make_file(self) -> UUID:
        world = self._world
        scan = world.tenant.model.entities["account"].fields["scan"]
        return save_file(world.system, world.var / "files", BytesIO(b"%PDF-1.7 x"), "scan.pdf", "account", scan).id

    def _make_person(self) -> UUID:
        """Somebody whose settings nobody needs."""
        return self._world.people["spare"]

    def _make_share(self) -> UUID:
        owner = Store(self._world.tenant, self._world.principal("owner"))
        return owner.share("account", self["id"], Ref("user", self._world.people["guest"])).id

    def _make_guest(self) -> UUID:
        return self._world.people["guest"]

    def _make_nothing(self) -> UUID:
        return uuid4()


@dataclass
class World:
    """Everything a request may be about, and everybody who may send it."""

    tenant: Tenant
    other: Tenant
    app: Flask
    other_app: Flask
    people: dict[str, UUID]
    var: Path
    clients: dict[str, FlaskClient] = dc_field(default_factory=dict)
    keys: dict[str, str] = dc_field(default_factory=dict)
    _fingerprint: str | None = None

    @property
    def system(self) -> Store:
        """The door without any rule."""
        return Store(self.tenant, Principal.system(Reader()))

    def names(self) -> Names:
        """The owner's records, new; made when something of the table asks for them."""
        return Names(self)

    def client(self, who: str) -> FlaskClient:
        """A browser with this person's session, kept as it was when they signed in."""
        return self.clients[who]

    def principal(self, who: str) -> Principal:
        """Somebody as the door knows them."""
        with self.tenant.begin() as connection:
            person = read_person_by_id(connection, self.tenant, self.people[who])
        assert person is not None
        return principal_for(self.tenant, person)

    def fingerprint(self) -> dict[str, str]:
        """What is in the tenant's tables, but for what is noted of whoever asks."""
        if self._fingerprint is None:
            tables = [t.name for t in self.tenant.tables.metadata.sorted_tables if t.name not in NOTED]
            digest = "SELECT '{0}', md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM \"{0}\" t"
            self._fingerprint = " UNION ALL ".join(digest.format(name) for name in tables)
        with self.tenant.begin() as connection:
            return {row[0]: row[1] for row in connection.exec_driver_sql(self._fingerprint)}


def is_for_programs(rule: Rule) -> bool:
    """Whether an address is asked with keys, and answered in JSON."""
    return rule.endpoint.startswith(("api.", "assistants."))


def open_world(catalogue: Any, var: Path, slug: str) -> World:
    """The two tenants, and everybody signed in."""
    use_installation_key(var)
    tenants = [catalogue.create(name, layers_of(CRM, name), "test") for name in (slug, f"{slug}-other")]
    settings = Settings(var=var)
    apps = [create_tenant_app(tenant, settings, catalogue, [add_api, add_studio]) for tenant in tenants]
    roles = {"outsider": "outsider", "viewer": "viewer", "colleague": "seller", "owner": "seller", "admin": "admin"}
    roles["guest"] = "seller"
    people = {who: add_person(tenants[0], f"{who}@x.example", role) for who, role in roles.items()}
    for who in ("ended", "deactivated", "spare"):
        people[who] = add_person(tenants[0], f"{who}@x.example", "admin")
    add_person(tenants[1], "admin@x.example", "admin")
    world = World(tenants[0], tenants[1], apps[0], apps[1], people, var)
    _sign_in(world)
    return world


def _sign_in(world: World) -> None:
    for who in (*IN, "ended", "deactivated"):
        world.clients[who] = signed_in_client(world.app, f"{who}@x.example")
    world.clients["nobody"] = world.app.test_client()
    foreign = signed_in_client(world.other_app, "admin@x.example")
    cookie = foreign.get_cookie(world.other_app.config["SESSION_COOKIE_NAME"])
    assert cookie is not None
    taken = world.app.test_client()
    for name in {world.app.config["SESSION_COOKIE_NAME"], world.other_app.config["SESSION_COOKIE_NAME"]}:
        taken.set_cookie(name, cookie.value)
    world.clients["other_tenant"] = taken
    tables = world.tenant.tables
    with world.tenant.begin() as connection:
        connection.execute(
            sa.delete(tables.platform.session).where(tables.platform.session.c.user == world.people["ended"])
        )
        user = tables.entity["user"]
        connection.execute(sa.update(user).where(user.c.id == world.people["deactivated"]).values(active=False))


def make_keys(world: World) -> None:
    """A key for each of the programs."""
    for who in ("outsider", "viewer", "colleague", "owner", "admin", "deactivated"):
        world.keys[who] = create_key(world.tenant, world.people[who], who)[1]
    owner, admin = world.people["owner"], world.people["admin"]
    world.keys["narrow"] = create_key(world.tenant, owner, "narrow", scopes=["team:read"])[1]
    world.keys["reader"] = create_key(world.tenant, owner, "reader", scopes=["*:read"])[1]
    world.keys["elsewhere"] = create_key(world.tenant, admin, "elsewhere", addresses=["203.0.113.0/24"])[1]
    revoked, world.keys["revoked"] = create_key(world.tenant, admin, "revoked")
    revoke_key(world.tenant, revoked.id)
    expired, world.keys["expired"] = create_key(world.tenant, admin, "expired")
    table = world.tenant.tables.platform.api_key
    with world.tenant.begin() as connection:
        past = datetime.now(UTC) - timedelta(seconds=1)
        connection.execute(sa.update(table).where(table.c.id == expired.id).values(expires_at=past))
    with world.other.begin() as connection:
        user = world.other.tables.entity["user"]
        foreign = connection.execute(sa.select(user.c.id).where(user.c.email == "admin@x.example")).scalar_one()
    world.keys["other_tenant"] = create_key(world.other, foreign, "foreign")[1]
    world.keys["wrong"] = f"trellis_{digest('nothing')}"


def filled(value: Any, names: Names) -> Any:
    """A value of the table with its placeholders filled in."""
    if isinstance(value, str):
        return value.format_map(names) if "{" in value else value
    if isinstance(value, dict):
        return {key: filled(part, names) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [filled(part, names) for part in value]
    return value


def address_of(world: World, rule: Rule, ask: Ask, names: Names) -> str:
    """The address of a rule, about the owner's record."""
    said = {"entity": "account", "id": "{id}", **ask.args}
    missing = rule.arguments - said.keys()
    assert not missing, f"{rule.endpoint}: say in the table what {sorted(missing)} are"
    values = {key: filled(said[key], names) for key in rule.arguments}
    with world.app.test_request_context():
        return world.app.url_map.bind("localhost").build(rule.endpoint, values, append_unknown=False)


def prepare(world: World, rule: Rule, ask: Ask, names: Names) -> None:
    """Make what the request is about."""
    address_of(world, rule, ask, names)
    for part in (ask.form, ask.query, ask.json or {}):
        filled(dict(part), names)


def send(
    world: World, client: FlaskClient, method: str, rule: Rule, ask: Ask, names: Names, **headers: str
) -> TestResponse:
    """Ask for a page or an operation."""
    more: dict[str, Any] = {}
    forget_counts()
    if ask.json is not None and method != "GET":
        more["json"] = filled(ask.json, names)
    elif method == "POST":
        form = filled(dict(ask.form), names)
        if ask.file:
            content = f"name\nImported {names['n']}\n".encode()
            more["content_type"] = "multipart/form-data"
            form[ask.file] = (BytesIO(content), "table.csv")
        more["data"] = MultiDict(form) if not ask.file else form
    if ask.script:
        headers["X_Requested_With"] = "fetch"
    return client.open(
        address_of(world, rule, ask, names),
        method=method,
        query_string=filled(dict(ask.query), names),
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        buffered=True,  # files are read and closed
        **more,
    )


def status_of(answer: TestResponse) -> int:
    """The status of an answer; what a script is refused says it in a header."""
    return int(answer.headers.get(HEADER, answer.status_code))


def outcome(answer: TestResponse, ask: Ask, *, public: bool = False) -> str:
    """What came of a request, in the table's words."""
    status = status_of(answer)
    if status == 401 or (not public and status == 302 and "/login" in answer.headers["Location"]):
        return "away"
    if status in ask.also or status < 400:
        return "yes"
    return {403: "no", 404: "gone"}.get(status, str(status))


def forget_counts() -> None:
    """Nobody has asked too often."""
    rates.forget_counts()
