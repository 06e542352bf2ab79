"""Compiles the scenarios of the last layer: those that are tested with the configuration at hand."""

from __future__ import annotations

from trellis.config.layer import Document
from trellis.formula.types import record_of
from trellis.model.compile.context import Context
from trellis.model.compile.item import Item
from trellis.model.compile.names import Names
from trellis.model.compile.scenarios.actions import Actions
from trellis.model.compile.scenarios.expectations import Expectations
from trellis.model.compile.tenants import given_settings
from trellis.model.compile.types import Types
from trellis.model.scenario import Actor, Scenario

PERSON = "user"
KIND = "test"


def compile_scenarios(ctx: Context, types: Types) -> tuple[Scenario, ...]:
    """Every scenario of the last layer, in the order of its files; those below were tested with their own layer."""
    layers = ctx.configuration.layers
    last = layers[-1].name if layers else ""
    documents = [each for each in ctx.configuration.tests if each.layer == last and each.kind == KIND]
    return tuple(_scenario(ctx, types, document) for document in documents)


def _scenario(ctx: Context, types: Types, document: Document) -> Scenario:
    item = Item(dict(document.data), document.place, "", document.name)
    names = Names(ctx, types)
    actors = _actors(names, item)
    known = {key: record_of(PERSON) for key in actors} if PERSON in ctx.drafts else {}
    actions = Actions(names, dict(known), actors)
    given = actions.each(item.get("given"))
    when = actions.each(item.get("when"))
    expect = Expectations(names, actions.variables, actors).each(item.get("expect"))
    return Scenario(
        key=document.key,
        mark=document.place.children[KIND].key_mark,
        label=item.word("label"),
        now=item.word("now"),
        actors=actors,
        settings=given_settings(ctx, item.get("settings")),
        given=given,
        when=when,
        expect=expect,
    )


def _actors(names: Names, item: Item) -> dict[str, Actor]:
    users = item.get("users")
    written = dict(users.entries()) if users is not None else {}
    found = {}
    for key, each in written.items():
        names.roles(each.get("roles"))
        manager = each.get("manager")
        if manager is not None and manager.text not in written:
            names.ctx.unknown("user", manager, written, "E328")
        found[key] = Actor(
            key=key,
            name=each.word("name", key.capitalize()),
            email=each.word("email", f"{key}@scenario.example"),
            roles=each.words("roles"),
            team=each.word("team"),
            manager=each.word("manager"),
            language=each.word("language"),
            time_zone=each.word("time_zone"),
        )
    return found
