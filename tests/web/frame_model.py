"""A small Model made by hand: people, teams, accounts; two roles. The frame is tested without any YAML."""

from __future__ import annotations

from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.model.fields.registry import FIELD_TYPES
from trellis.model.model import MenuGroup, MenuItem, Model
from trellis.model.role import ALL, Grant, Role
from trellis.model.text import Text


def field(key: str, kind: str = "text", **options: object) -> Field:
    """A field of a type, with the type's options."""
    return Field(key, FIELD_TYPES[kind](**options), Text(key.title()))


def entity(key: str, *fields: Field, **more: object) -> Entity:
    """An entity with these fields."""
    return Entity(key, Text(key.title()), Text(f"{key.title()}s"), {f.key: f for f in fields}, **more)  # type: ignore[arg-type]


def small_model() -> Model:
    """People in teams, accounts; everything for `admin`, nothing but accounts for `rep`."""
    user = entity(
        "user",
        field("name"),
        field("email", "email"),
        field("team", "link", to="team"),
        field("manager", "link", to="user"),
        field("roles", "list"),
        field("language"),
        field("time_zone"),
        field("active", "boolean"),
        internal=True,
        icon="users",
        title_field="name",
    )
    team = entity(
        "team", field("name"), field("parent", "link", to="team"), field("manager", "link", to="user"), internal=True
    )
    account = entity("account", field("name"), icon="building", title_field="name")
    secret = entity("secret", field("name"), icon="lock", title_field="name")
    everything = dict.fromkeys(("read", "create", "update", "delete", "restore", "export"), ALL)
    entities = {e.key: e for e in (user, team, account, secret)}
    roles = {
        "admin": Role(
            "admin",
            Text("Administrator", {"zh-Hans": "管理员"}),
            {k: Grant(everything) for k in entities},
            frozenset({"admin"}),
        ),
        "rep": Role("rep", Text("Sales rep"), {"account": Grant({"read": ALL})}),
    }
    items = tuple(MenuItem("entity", e.key, e.plural, e.icon) for e in (account, secret))
    menu = (MenuGroup("sales", Text("Sales", {"zh-Hans": "销售"}), items),)
    return Model("small-frame-model", entities, roles=roles, menus={"main": menu}, languages=("en", "zh-Hans"))
