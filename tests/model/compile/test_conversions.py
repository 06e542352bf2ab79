"""Documents that say how one record becomes others: the Model of good ones, and what is said about bad ones."""

# ruff: noqa: E501  (YAML and the lines said about it stand on one line each)
from __future__ import annotations

import textwrap

import pytest

from trellis.config.report import one_line

CRM = textwrap.dedent("""\
    entity: lead
    fields: {name: {type: text}, amount: {type: money}, size: {type: integer, formula: len(name)}}
    ---
    entity: account
    fields: {name: {type: text, required: true}, turnover: {type: money}, deals_n: {type: integer, rollup: count(deals)}}
    ---
    entity: deal
    fields: {name: {type: text}, account: {type: link, to: account, inverse: deals}}
    ---
    entity: deal_line
    part_of: deal
    fields: {what: {type: text}}
    ---
""")
AT = CRM.count("\n") + 1

CASES = {
    "no such entity": ("convert: leed\ninto: {account: {}}", "0:10: E301 convert: unknown entity 'leed' (did you mean 'lead'?)"),
    "no such target": ("convert: lead\ninto: {acount: {}}", "1:8: E301 into.acount: unknown entity 'acount' (did you mean 'account'?)"),
    "into itself": ("convert: lead\ninto: {lead: {}}", "1:8: E322 into.lead: 'lead' cannot become itself"),
    "into a part": ("convert: lead\ninto: {deal_line: {}}", "1:8: E322 into.deal_line: 'deal_line' is part of another record (convert into 'deal')"),
    "into nothing": ("convert: lead\ninto: {}", "1:7: E"),
    "without into": ("convert: lead", "0:1: E204 'into' is missing"),
    "a field that is not there": ("convert: lead\ninto: {account: {set: {nme: =name}}}", "1:24: E304 into.account.set.nme: unknown field 'nme' of account (did you mean 'name'?)"),
    "a computed field": ("convert: lead\ninto: {account: {set: {name: =name, deals_n: 1}}}", "1:37: E322 into.account.set.deals_n: 'deals_n' of account is computed: it cannot be set"),
    "a formula of another type": ("convert: lead\ninto: {account: {set: {name: =name, turnover: =name}}}", "1:48: E406 into.account.set.turnover: a money is expected here, not a text"),
    "a formula that does not parse": ("convert: lead\ninto: {account: {set: {name: =name +}}}", "1:36: E401 into.account.set.name: "),
    "a target that comes later": ("convert: lead\ninto: {deal: {set: {account: =account}}, account: {set: {name: =name}}}", "1:31: E402 into.deal.set.account: "),
    "a match that nothing fills": ("convert: lead\ninto: {account: {match: [turnover], set: {name: =name}}}", "1:26: E322 into.account.match.turnover: nothing fills 'turnover', so that it matches nothing (add it to `set`)"),
    "a match with a field that is not there": ("convert: lead\ninto: {account: {match: [nme], set: {name: =name}}}", "1:26: E304 into.account.match.nme: unknown field 'nme' (did you mean 'name'?)"),
    "a match with a computed field": ("convert: lead\ninto: {account: {match: [deals_n], set: {name: =name}}}", "1:26: E322 into.account.match.deals_n: 'deals_n' cannot be compared"),
    "a condition that is none": ("convert: lead\nwhen: name\ninto: {account: {set: {name: =name}}}", "1:7: E406 when: a boolean is expected here"),
    "a role that is not there": ("convert: lead\nroles: [boss]\ninto: {account: {set: {name: =name}}}", "1:9: E313 roles.boss: unknown role 'boss'"),
    "nothing of that name to move": ("convert: lead\ninto: {account: {set: {name: =name}}}\nmove: [activity]", "2:8: E304 move.activity: unknown list 'activity' (did you mean 'activities'?)"),
    "a key that is not there": ("convert: lead\ninto: {account: {sett: {}}}", "1:18: E203 into.account.sett: unknown key 'sett' (did you mean 'set'?)"),
    "then, a computed field": ("convert: lead\ninto: {account: {set: {name: =name}}}\nthen: {set: {size: 3}}", "2:14: E322 then.set.size: 'size' of lead is computed: it cannot be set"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_is_told_at_its_place(name: str, compile_yaml) -> None:
    text, expected = CASES[name]
    line, _, rest = expected.partition(":")
    wanted = f"a.yaml:{AT + int(line)}:{rest}"
    compiled = compile_yaml(CRM + text)
    lines = [one_line(p) for p in compiled.problems if p.is_error]
    assert any(told.startswith(wanted) for told in lines), (wanted, lines)
    assert compiled.model is None


def test_a_required_field_that_nothing_fills_is_advice(compile_yaml) -> None:
    compiled = compile_yaml(CRM + "convert: lead\ninto: {account: {}}")
    assert [p.code for p in compiled.problems] == ["W607"]
    assert compiled.model is not None


def test_the_entity_gets_a_moment_and_its_links_both_ways(compile_yaml) -> None:
    model = compile_yaml(
        CRM + "convert: lead\ninto: {account: {set: {name: =name}}, deal: {optional: true}}\nthen: {lock: true}"
    ).model
    lead = model.entities["lead"]
    assert lead.fields["converted_at"].system
    assert lead.fields["converted_account"].readonly == "always"
    assert not lead.fields["converted_deal"].copy
    assert model.entities["account"].inverses["from_lead"].field == "converted_account"
    conversion = model.conversions["lead"]
    assert (list(conversion.into), conversion.into["deal"].optional, conversion.lock) == (
        ["account", "deal"],
        True,
        True,
    )


def test_a_field_of_the_entitys_own_may_be_the_link(compile_yaml) -> None:
    own = CRM.replace(
        "amount: {type: money},", "amount: {type: money}, converted_account: {type: link, to: account, label: Became},"
    )
    compiled = compile_yaml(own + "convert: lead\ninto: {account: {set: {name: =name}}}")
    assert compiled.problems == []
    assert str(compiled.model.entities["lead"].fields["converted_account"].label) == "Became"
    wrong = own.replace("type: link, to: account, label", "type: text, label")
    assert "E308" in [
        p.code for p in compile_yaml(wrong + "convert: lead\ninto: {account: {set: {name: =name}}}").problems
    ]


def test_a_text_that_begins_with_an_equals_sign_is_written_with_two(compile_yaml) -> None:
    model = compile_yaml(CRM + "convert: lead\ninto: {account: {set: {name: ==plain}}}").model
    name = model.conversions["lead"].into["account"].fills["name"]
    assert (name.formula, name.plain) == (None, "=plain")
