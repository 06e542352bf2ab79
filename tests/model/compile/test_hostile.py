"""Configurations that want to hurt: an answer within 2 s, and no traceback."""

# ruff: noqa: E501  (YAML and the lines said about it stand on one line each)
from __future__ import annotations

import gc
import time

import pytest

CASES = {
    "many unknown keys": "entity: a\n" + "".join(f"k{i}: 1\n" for i in range(9_000)),
    "many wrong fields": "entity: a\nfields:\n" + "".join(f"  f{i}: {{type: txt}}\n" for i in range(9_000)),
    "many fields": "entity: a\nfields:\n" + "".join(f"  f{i}: {{type: text}}\n" for i in range(9_000)),
    "many entities": "---\n".join(f"entity: e{i}\n" for i in range(900)),
    "many documents": "---\nx: 1\n" * 9_000,
    "many unknown names": "entity: a\nviews:\n" + "".join(f"  v{i}: {{columns: [nothing{i}]}}\n" for i in range(5_000)),
    "long formula": "entity: a\nfields: {x: {type: integer, formula: '" + "1 + " * 20_000 + "1'}}",
    "deep formula": "entity: a\nfields: {x: {type: integer, formula: '" + "(" * 20_000 + "1" + ")" * 20_000 + "'}}",
    "long chain of formulas": "entity: a\nfields:\n  f0: {type: integer}\n"
    + "".join(f"  f{i}: {{formula: f{i - 1} + 1}}\n" for i in range(1, 700)),
    "long chain backwards": "entity: a\nfields:\n"
    + "".join(f"  f{i}: {{formula: f{i - 1} + 1}}\n" for i in range(700, 0, -1))
    + "  f0: {type: integer}\n",
    "everything is a list": "entity: [a]\nfields: [[[]]]\nviews: []\n",
    "everything is null": "entity: a\nfields: {x: }\nviews: {y: }\nform: {z: }\nrules: {r: }\nfilters: {f: }\npage: \n",
    "everything is a number": "entity: a\nfields: 1\nviews: 2\nform: 3\nrules: 4\nfilters: 5\npage: 6\nunique: 7\ntitle: 8\n",
    "wrong shapes inside": "entity: a\nfields: {x: 1, y: [1], z: {type: [text]}}\nviews: {v: {columns: {a: 1}, sort: 1}}\nform: {s: [x]}\n",
    "roles": "role: r\ngrants: [1]\nallow: {a: 1}\n---\nrole: q\ngrants: {'*': 1, x: [1]}\n",
    "pipelines": "entity: a\n---\npipeline: p\nentity: [a]\nstages: 1\nmoves: 2\n---\npipeline: q\nentity: a\nstages: [1]\nmoves: {a: 1}\n",
    "workflows": "workflow: w\non: 1\nsteps: 2\n---\nworkflow: v\non: [1, [2]]\nsteps: [1, [2], {set: 1}, {if: 1, then: 2}]\n",
    "manifests": "tenant: t\nsettings: 1\nmodules: 2\ntheme: 3\n---\ntemplate: x\nsettings: [1]\nwithout: 1\nversion: []\n",
    "menus": "menu: main\ngroups: {a: 1, b: {items: 1}, c: {items: [1, [2], {report: [1]}]}}\n",
    "choices": "choices: c\nvalues: 1\n---\nentity: a\nfields: {x: {type: choice, choices: 1}, y: {type: choice, choices: [[1]]}}\n",
    "surrogates": 'entity: a\nlabel: "\\ud800"\n',
    "regular expression": "entity: a\nfields: {x: {type: text, pattern: '" + "(" * 5_000 + "'}}\n",
    "reports": "report: r\nentity: user\ngroup: 1\nmeasures: [1]\nparams: 2\nchart: 3\n---\ndashboard: d\nwidgets: [1]\n",
    "convert": "convert: a\ninto: 1\n---\nentity: a\n---\nconvert: b\ninto: {a: 1, c: {set: 1, match: 2}}\n",
}


@pytest.mark.parametrize("name", CASES)
def test_hostile_configurations_cost_little(name: str, compile_yaml) -> None:
    compile_yaml("entity: warm")
    gc.freeze()  # what other tests have left behind is not gone through again and again meanwhile
    start = time.thread_time()
    compiled = compile_yaml(CASES[name])
    spent = time.thread_time() - start
    gc.unfreeze()
    assert spent < 2
    assert len(compiled.problems) < 2_000
    assert compiled.model is not None or compiled.problems


def test_sixty_entities_compile_within_a_second(compile_yaml) -> None:
    compile_yaml("entity: warm")
    entities = []
    for i in range(60):
        fields = "".join(f"  text{j}: {{type: text, max_length: 80, search: true}}\n" for j in range(8))
        fields += f"  other: {{type: link, to: e{(i + 1) % 60}, inverse: back{i}}}\n"
        fields += "  amount: {type: money, min: 0}\n  owner: {type: user, default: =me, role: owner}\n"
        fields += "  kind: {type: choice, choices: [a, b, {c: {label: C}}], default: a}\n"
        fields += f"  double: {{type: money, formula: amount * {i + 2}}}\n"
        fields += "  total: {rollup: sum(back" + str((i - 1) % 60) + ".amount)}\n"
        views = f"  open: {{filter: 'amount > {i}', columns: [text0, other, amount, other.amount], sort: [-amount]}}\n"
        form = "  basics: {fields: [text0, text1, amount]}\n"
        entities.append(f"entity: e{i}\nfields:\n{fields}views:\n{views}form:\n{form}")
    gc.freeze()
    start = time.thread_time()
    compiled = compile_yaml("---\n".join(entities))
    spent = time.thread_time() - start
    gc.unfreeze()
    assert spent < 1
    assert [p.message for p in compiled.problems] == []
