"""Filter chips: to the address and back, and as formulas that compile."""

from __future__ import annotations

from typing import Any

import pytest

from trellis.formula.formula import compile_formula
from trellis.formula.reader import Reader
from trellis.formula.types import BOOLEAN
from trellis.model.choice import Choice
from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.model.fields.registry import FIELD_TYPES
from trellis.model.model import Model
from trellis.model.text import Text
from trellis.records.reading.scope import ReaderScope
from trellis.web.filters.chips import AnyOf, Chip, read_chips
from trellis.web.filters.operators import kind_of, operators_of
from trellis.web.filters.periods import PERIODS
from trellis.web.filters.source import Unreadable, chip_source, group_source

ID = "01930000-0000-7000-8000-000000000001"


def field(key: str, kind: str = "text", **options: object) -> Field:
    return Field(key, FIELD_TYPES[kind](**options), Text(key.title()))


def entity(key: str, *fields: Field) -> Entity:
    known = {f.key: f for f in (field("id"), *fields)}
    return Entity(key, Text(key.title()), Text(f"{key.title()}s"), known)


CHOICES = (Choice("open", Text("Open")), Choice("won", Text("Won")))
DEAL = entity(
    "deal",
    field("name"),
    field("amount", "money"),
    field("close_date", "date"),
    field("stage", "choice", choices=CHOICES),
    field("account", "link", to="account"),
    field("owner", "link", to="user"),
    field("hot", "boolean"),
    field("tags", "tags"),
    field("created_at", "datetime"),
)
ACCOUNT = entity("account", field("name"), field("city"), field("since", "date"))
TEAM = entity("team", field("name"))
USER = entity(
    "user",
    field("name"),
    field("email", "email"),
    field("team", "link", to="team"),
    field("manager", "link", to="user"),
)
MODEL = Model("x", {"deal": DEAL, "account": ACCOUNT, "user": USER, "team": TEAM})
READER = Reader()

VALUES = {
    "text": ("Müller",),
    "money": ("1.000",),
    "date": ("2026-11-30",),
    "datetime": ("+3d",),
    "choice": ("open", "won"),
    "link": (ID, ID),
    "tags": ("a", "b"),
}


@pytest.mark.parametrize(
    "groups",
    [
        (AnyOf((Chip("amount", ">", ("1,000~|",)),)),),
        (
            AnyOf((Chip("stage", "in", ("won", "a,b")), Chip("name", "is_blank"))),
            AnyOf((Chip("name", "contains", ("%2C",)),)),
        ),
    ],
)
def test_chips_survive_the_address(groups: tuple[AnyOf, ...]) -> None:
    assert read_chips([group.text() for group in groups]) == groups


@pytest.mark.parametrize("text", ["", "~", "a", "a~", "~~~", "x" * 3000 + "~==~1"])
def test_what_is_no_chip_is_left_out(text: str) -> None:
    assert read_chips([text]) == ()


@pytest.mark.parametrize(
    "path", [*(k for k in DEAL.fields if k != "id"), "account.city", "account.since", "owner.email"]
)
def test_every_operator_of_every_field_is_a_formula(path: str) -> None:
    scope = ReaderScope(MODEL, "deal")
    end = ACCOUNT if path.startswith("account.") else USER if path.startswith("owner.") else DEAL
    made = end.fields[path.rpartition(".")[2]]
    for operator in operators_of(made):
        value = VALUES.get(made.type.name, VALUES["text"])
        if operator.key == "period":
            value = ("this_week",)
        elif operator.editor == "two":
            value = (value[0], value[0])
        elif operator.editor == "none":
            value = ()
        source = chip_source(MODEL, DEAL, Chip(path, operator.key, value), READER)
        compile_formula(source, scope, expected=BOOLEAN)


# what a person types, tried where it fits; the other types are looked for by choosing, or only by being empty
TYPED = {"duration": "1h 30m", "number": "12", "money": "12", "date": "+3d", "text": "a%\\"}
OPTIONS: dict[str, dict[str, Any]] = {
    "link": {"to": "account"},
    "links": {"to": "account"},
    "any_link": {"to": ("account",)},
    "choice": {"choices": CHOICES},
    "choices": {"choices": CHOICES},
}


@pytest.mark.parametrize("name", sorted(set(FIELD_TYPES) - {"lines"}))
def test_every_operator_of_every_type_is_a_formula(name: str) -> None:
    try:
        made = field("it", name, **OPTIONS.get(name, {}))
    except TypeError:
        pytest.fail(f"say in OPTIONS what a field of type {name} is made with")
    thing = entity("thing", made)
    model = Model("x", {"thing": thing, "account": ACCOUNT, "user": USER, "team": TEAM})
    kind = kind_of(made)
    for operator in operators_of(made):
        value = (
            "this_month" if operator.key == "period" else ID if kind in ("record", "records") else TYPED.get(kind, "a")
        )
        count = {"none": 0, "two": 2}.get(operator.editor, 1)
        source = chip_source(model, thing, Chip("it", operator.key, (value,) * count), READER)
        compile_formula(source, ReaderScope(model, "thing"), expected=BOOLEAN)


@pytest.mark.parametrize("period", list(PERIODS))
def test_every_period_is_a_formula(period: str) -> None:
    source = chip_source(MODEL, DEAL, Chip("close_date", "period", (period,)), READER)
    compile_formula(source, ReaderScope(MODEL, "deal"), expected=BOOLEAN)


def test_people_may_be_me_or_my_team() -> None:
    source = chip_source(MODEL, DEAL, Chip("owner", "in", ("me", "my_team")), READER)
    compile_formula(source, ReaderScope(MODEL, "deal"), expected=BOOLEAN)


def test_text_cannot_break_out_of_its_quotes() -> None:
    source = chip_source(MODEL, DEAL, Chip("name", "==", ('" or true or "\\',)), READER)
    assert compile_formula(source, ReaderScope(MODEL, "deal"), expected=BOOLEAN).reads == {("name",)}


def test_a_group_holds_when_any_does() -> None:
    group = AnyOf((Chip("hot", "true"), Chip("amount", ">", ("5",))))
    assert group_source(MODEL, DEAL, group, READER) == "((hot) or (amount > 5))"


@pytest.mark.parametrize(
    "chip",
    [
        Chip("nothing", "==", ("1",)),
        Chip("amount", "contains", ("1",)),
        Chip("amount", ">", ("ten",)),
        Chip("amount", ">", ("",)),
        Chip("close_date", "<", ("soon",)),
        Chip("close_date", "period", ("whenever",)),
        Chip("account", "in", ("not-an-id",)),
        Chip("amount", "between", ("1",)),
    ],
)
def test_a_chip_that_says_nothing_is_unreadable(chip: Chip) -> None:
    with pytest.raises(Unreadable):
        chip_source(MODEL, DEAL, chip, READER)
