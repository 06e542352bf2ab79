"""Bad YAML and the lines that are said about it."""

# ruff: noqa: E501  (YAML and the lines said about it stand on one line each)
from __future__ import annotations

import textwrap

import pytest

from trellis.config.report import one_line

DEAL = textwrap.dedent("""\
    entity: deal
    fields:
      name: {type: text}
      amount: {type: money}
      account: {type: link, to: account, inverse: deals}
    ---
    entity: account
    fields: {name: {type: text}, city: {type: text}}
    ---
""")

CASES = {
    "unknown kind": ("entitty: deal", ["a.yaml:1:1: E201 entitty: unknown kind 'entitty' (did you mean 'entity'?)"]),
    "unknown key": (
        "entity: deal\nfeilds: {}",
        ["a.yaml:2:1: E203 feilds: unknown key 'feilds' (did you mean 'fields'?)"],
    ),
    "unknown option": (
        "entity: deal\nfields:\n  name: {type: text, max_lenght: 80}",
        ["a.yaml:3:22: E203 fields.name.max_lenght: unknown key 'max_lenght' (did you mean 'max_length'?)"],
    ),
    "unknown field type": (
        "entity: deal\nfields:\n  phone: {type: telephone}",
        ["a.yaml:3:17: E210 fields.phone.type: unknown field type 'telephone' (did you mean 'phone'?)"],
    ),
    "another system's name of a type": (
        "entity: deal\nfields:\n  name: {type: string}\n  done: {type: bool}",
        [
            "a.yaml:3:16: E210 fields.name.type: unknown field type 'string' (did you mean 'text'?)",
            "a.yaml:4:16: E210 fields.done.type: unknown field type 'bool' (did you mean 'boolean'?)",
        ],
    ),
    "a choice of nothing": (
        "entity: deal\nfields:\n  kind: {type: choice}",
        ["a.yaml:3:3: E204 fields.kind: 'choices' is missing"],
    ),
    "no currency": (
        "entity: deal\nfields:\n  cost: {type: money, currency: EURO}",
        ["a.yaml:3:3: E214 fields.cost: the options do not fit together: currency: 'EURO' is no ISO 4217 code"],
    ),
    "option of another type": (
        "entity: deal\nfields:\n  name: {type: text, to: account}",
        ["a.yaml:3:22: E203 fields.name.to: unknown key 'to'"],
    ),
    "a name that has become another": (
        "entity: deal\nfields:\n  race: {type: text, was: breed}\n  big: {formula: breed}\nviews:\n  a: {columns: [breed]}",
        [
            "a.yaml:4:18: E402 fields.big.formula: unknown name 'breed' (it is called 'race' now)",
            "a.yaml:6:17: E304 views.a.columns.breed: unknown column 'breed' (it is called 'race' now)",
        ],
    ),
    "words about a field that has become another": (
        "entity: deal\nfields:\n  race: {type: text, was: breed}\n  breed: {label: Kind}",
        ["a.yaml:4:3: E204 fields.breed: 'type' is missing (it is called 'race' now)"],
    ),
    "missing option": (
        "entity: deal\nfields:\n  account: {type: link}",
        ["a.yaml:3:3: E204 fields.account: 'to' is missing"],
    ),
    "wrong value": (
        "entity: deal\nfields:\n  name: {type: text, required: yes}",
        ["a.yaml:3:32: E205 fields.name.required: expected true or false, found 'yes'"],
    ),
    "a list for a mapping": (
        "entity: deal\nfields: [name, amount]",
        [
            "a.yaml:2:9: E205 fields: expected a mapping, found a list (without dashes, each under a key of its own: 'name: …')"
        ],
    ),
    "a text for a mapping": (
        DEAL + "workflow: w\non: {record: deal, created: true}\nsteps: [{notify: Hello}]",
        ["a.yaml:12:18: E205 steps.Hello.notify: expected a mapping, found 'Hello' (write {to: …, text: …})"],
    ),
    "bad key": (
        "entity: deal\nfields:\n  Next-Step: {type: text}",
        ["a.yaml:3:3: E207 fields.Next-Step: 'Next-Step' is not a key (letters, digits and _ in small letters)"],
    ),
    "bad document key": ("entity: My Deal", ["a.yaml:1:9: E208 entity: 'My Deal' is not written as expected here"]),
    "reserved": (
        "entity: deal\nfields:\n  created_at: {type: date}",
        ["a.yaml:3:3: E305 fields.created_at: 'created_at' is a reserved name (`trellis schema` lists them)"],
    ),
    "unknown entity": (
        "entity: deal\nfields:\n  account: {type: link, to: acount}\n---\nentity: account",
        ["a.yaml:3:29: E301 fields.account.to: unknown entity 'acount' (did you mean 'account'?)"],
    ),
    "unknown column": (
        DEAL + "entity: x\nfields: {deal: {type: link, to: deal}}\nviews: {v: {columns: [deal.acount.city]}}",
        [
            "a.yaml:12:23: E304 views.v.columns.deal.acount.city: unknown column of deal 'acount' (did you mean 'account'?)"
        ],
    ),
    "unknown choices": (
        "entity: deal\nfields: {a: {type: choice, choices: lead-sorce}}\n---\nchoices: lead-source\nvalues: [web]",
        ["a.yaml:2:37: E306 fields.a.choices: unknown choices 'lead-sorce' (did you mean 'lead-source'?)"],
    ),
    "default that is no choice": (
        "entity: deal\nfields: {a: {type: choice, choices: [low, high], default: medium}}",
        [
            "a.yaml:2:59: E215 fields.a.default: not a value of this field: “medium” is not one of the choices: Low, High."
        ],
    ),
    "inverse given twice": (
        "entity: a\nfields:\n  x: {type: link, to: b, inverse: things}\n  y: {type: link, to: b, inverse: things}\n---\nentity: b",
        ["a.yaml:4:35: E307 fields.y.inverse: 'things' is already the name of a.x"],
    ),
    "unknown stage in a move": (
        "entity: deal\n---\npipeline: p\nentity: deal\nstages: {new: {}, won: {type: won}}\nmoves: [{from: new, to: wonn}]",
        [
            "a.yaml:5:19: E314 stages.won: no move leads to stage 'won'",
            "a.yaml:6:25: E309 moves.0.to: unknown stage 'wonn' (did you mean 'won'?)",
        ],
    ),
    "stage type": (
        "entity: deal\n---\npipeline: p\nentity: deal\nstages: {won: {type: win}}",
        ["a.yaml:5:22: E206 stages.won.type: 'win' is not known here (did you mean 'won'?)"],
    ),
    "rot_after": (
        "entity: deal\n---\npipeline: p\nentity: deal\nstages: {won: {rot_after: soon}}",
        ["a.yaml:5:27: E208 stages.won.rot_after: 'soon' is not written as expected here"],
    ),
    "role of an unknown entity": (
        "entity: deal\n---\nrole: rep\ngrants:\n  dael: {read: all}",
        ["a.yaml:5:3: E301 grants.dael: unknown entity 'dael' (did you mean 'deal'?)"],
    ),
    "unknown action": (
        "entity: deal\n---\nrole: rep\ngrants:\n  deal: {raed: all}",
        ["a.yaml:5:10: E203 grants.deal.raed: unknown key 'raed' (did you mean 'read'?)"],
    ),
    "menu": (
        "entity: deal\n---\nmenu: main\ngroups: {a: {items: [dael]}}",
        ["a.yaml:4:22: E301 groups.a.items.dael: unknown entity 'dael' (did you mean 'deal'?)"],
    ),
    "pattern": (
        "entity: deal\nfields: {a: {type: text, pattern: '['}}",
        ["a.yaml:2:35: E216 fields.a.pattern: not a regular expression"],
    ),
    "extends itself": (
        "entity: a\nabstract: true\nextends: b\n---\nentity: b\nabstract: true\nextends: a",
        ["a.yaml:7:10: E302 extends: extends itself: a → b → a"],
    ),
    "part of itself": (
        "entity: a\npart_of: b\n---\nentity: b\npart_of: c\n---\nentity: c\npart_of: b\n---\nrole: r\ngrants: {}",
        ["a.yaml:2:10: E302 part_of: is part of itself: a → b → c → b"],
    ),
    "workflow": (
        DEAL + "workflow: w\non: {record: deal, changed: [amout]}\nsteps:\n  - create: tsk\n  - sned: email",
        [
            "a.yaml:11:30: E304 on.changed.amout: unknown field 'amout' (did you mean 'amount'?)",
            "a.yaml:13:13: E301 steps.tsk.create: unknown entity 'tsk'",
            "a.yaml:14:5: E211 steps.email: not a known step (did you mean 'send'?)",
        ],
    ),
    "a workflow that never ends": (
        DEAL + "workflow: w\non: {record: deal, changed: [amount]}\nsteps:\n  - set: {amount: =amount + 1}",
        ["a.yaml:13:5: E321 steps.set: sets itself off again, for ever (add a `when:`)"],
    ),
    "a field without a type": (
        "entity: deal\nfields:\n  name: {label: Name}",
        ["a.yaml:3:3: E204 fields.name: 'type' is missing"],
    ),
    "a field that is a word": (
        "entity: deal\nfields:\n  name: text",
        ["a.yaml:3:9: E205 fields.name: expected a mapping such as {type: text}, found 'text'"],
    ),
    "a report of an unknown field": (
        DEAL + "report: r\nentity: deal\nmeasures: {n: sum(amuont)}\ngroup: [accont]\nsort: [-m]",
        [
            "a.yaml:12:19: E402 measures.n: ",
            "a.yaml:13:9: E402 group.accont: ",
            "a.yaml:14:8: E319 sort.-m: unknown column of the report 'm'",
        ],
    ),
    "another version of the template": (
        "template: retail\nversion: 1.2.0\n---\ntenant: x\ntemplate: retail ^2.0",
        ["a.yaml:5:11: E320 template: template 'retail' is version 1.2.0, which is not ^2.0"],
    ),
    "a field named by an option": (
        "entity: a\nfields: {at: {type: datetime, all_day: whole}}",
        ["a.yaml:2:40: E304 fields.at.all_day: unknown field 'whole'"],
    ),
    "convert": (
        DEAL + "convert: deal\ninto: {acount: {set: {name: =name}}, account: {set: {nme: =name, city: =twon}}}",
        [
            "a.yaml:11:8: E301 into.acount: unknown entity 'acount' (did you mean 'account'?)",
            "a.yaml:11:54: E304 into.account.set.nme: unknown field 'nme' of account (did you mean 'name'?)",
            "a.yaml:11:73: E402 into.account.set.city: ",
        ],
    ),
    "dashboard": (
        "report: r\nentity: user\nmeasures: {n: count()}\n---\ndashboard: d\nwidgets: {a: {number: rr}, b: {char: r}}",
        [
            "a.yaml:6:23: E316 widgets.a.number: unknown report 'rr'",
            "a.yaml:6:28: E211 widgets.b: not a known widget (did you mean 'chart'?)",
        ],
    ),
    "tenant": (
        "tenant: x\ntime_zone: Europe/Berln\nsettings: {points: 1}",
        [
            "a.yaml:2:12: E317 time_zone: unknown time zone 'Europe/Berln' (did you mean 'Europe/Berlin'?)",
            "a.yaml:3:12: E317 settings.points: unknown setting 'points'",
        ],
    ),
    "cycle": (
        "entity: a\nfields:\n  x: {type: integer, formula: y + 1}\n  y: {type: integer, formula: x + 1}",
        ["a.yaml:3:31: E318 fields.x.formula: depends on itself: a.x → a.y → a.x"],
    ),
    "type that depends on itself": (
        "entity: a\nfields:\n  x: {formula: y + 1}\n  y: {formula: x + 1}",
        ["a.yaml:3:16: E318 fields.x.formula: depends on itself: a.x → a.y → a.x"],
    ),
    "formula": (
        DEAL + "entity: b\nfields:\n  amount: {type: money}\n  twice: {type: money, formula: amuont * 2}",
        ["a.yaml:13:33: E402 fields.twice.formula: "],
    ),
    "formula in a block": (
        "entity: b\nfields:\n  amount: {type: integer}\n  twice:\n    type: integer\n    formula: |\n      amount +\n        amuont\n",
        ["a.yaml:8:9: E402 fields.twice.formula: "],
    ),
    "formula cut by YAML": (
        "entity: b\nfields:\n  amount: {type: integer}\n  twice: {type: integer, formula: round(amount, 2)}\n",
        ["(quote the formula)"],
    ),
    "no list to go through": (
        DEAL + "workflow: w\non: {record: deal, created: true}\nsteps: [{each: =amount, steps: [{log: x}]}]",
        ["a.yaml:12:17: E406 steps.0.each: a list of records is expected here, not a money"],
    ),
    "an entity to go through": (
        DEAL + "workflow: w\non: {record: deal, created: true}\nsteps: [{each: account, do: []}]",
        [
            "a.yaml:12:16: E402 steps.0.each: 'account' is an entity, not a list of records (a step before it finds them: ",
            "a.yaml:12:25: E203 steps.0.do: unknown key 'do' (did you mean 'steps'?)",
        ],
    ),
    "an entity for a report": (
        DEAL + "dashboard: d\nwidgets: {a: {number: deal}}",
        [
            "a.yaml:11:23: E316 widgets.a.number: unknown report 'deal' ('deal' is the key of a document of another kind: entity)"
        ],
    ),
    "a stage's gate": (
        DEAL + "pipeline: p\nentity: deal\nstages: {a: {gate: [name]}}",
        ["a.yaml:12:14: E203 stages.a.gate: unknown key 'gate' (did you mean 'require'?)"],
    ),
    "no such field of a portal's contact": (
        DEAL + "entity: contact\nfields: {account: {type: link, to: account}}\n---\n"
        "role: customer\nportal: true\ngrants: {deal: {read: all, where: account == me.acount}}",
        ["a.yaml:15:49: E402 grants.deal.where: a record of contact has no 'acount' (did you mean 'account'?)"],
    ),
    "wrong type in a condition": (
        "entity: b\nfields: {n: {type: integer}}\nfilters: {f: {filter: n + 1}}",
        ["a.yaml:3:23: E406 filters.f.filter: "],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_is_told(name: str, compile_yaml) -> None:
    text, expected = CASES[name]
    compiled = compile_yaml(text)
    lines = [one_line(p) for p in compiled.problems]
    assert len(lines) >= len(expected)
    for line, start in zip(lines, expected, strict=False):
        assert line.startswith(start) or (start.startswith("(") and any(start in each for each in lines)), lines
    assert compiled.model is None


def test_all_problems_are_told_at_once(compile_yaml) -> None:
    compiled = compile_yaml(
        "entity: a\nfields: {x: {type: txt}, y: {type: link, to: nothing}}\nviews: {v: {columns: [q]}}"
    )
    assert [p.code for p in compiled.problems] == ["E210", "E301", "E304"]


def test_advice_does_not_stop_anything(compile_yaml) -> None:
    compiled = compile_yaml("entity: a\nreplace: true")
    assert [p.code for p in compiled.problems] == ["W601"]
    assert compiled.model is not None
