"""What is written about scenarios that were played: for people, for programs, for build servers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from xml.etree import ElementTree

import orjson

from trellis.packaging.scenarios.findings import Finding, Played

Result = tuple[str, Played]  # the layer's name, and one of its scenarios
Format = Callable[[Sequence[Result], float], str]


def told(layer: str, one: Played) -> str:
    """One scenario for people: a line, and what did not hold below it."""
    mark = "ok  " if one.holds else "FAIL"
    name = one.scenario.label or one.scenario.key
    lines = [f"{mark} {layer}: {name} ({one.seconds:.2f} s)"]
    for finding in one.findings:
        lines.append(f"     {finding.mark}: {finding.text}" if finding.mark is not None else f"     {finding.text}")
        if finding.expected or finding.found:
            lines += [f"       expected  {finding.expected}", f"       found     {finding.found}"]
    return "\n".join(lines)


def summary(results: Sequence[Result], seconds: float) -> str:
    """The last line for people."""
    if not results:
        return "There are no scenarios: write them in tests/*.yaml (docs/scenario-tests.md)."
    bad = sum(not one.holds for _layer, one in results)
    scenarios = "1 scenario" if len(results) == 1 else f"{len(results)} scenarios"
    return f"{scenarios}, {f'{bad} failed' if bad else 'all hold'}, in {seconds:.1f} s"


def _json(results: Sequence[Result], seconds: float) -> str:
    shown = {
        "seconds": round(seconds, 3),
        "scenarios": [
            {
                "layer": layer,
                "key": one.scenario.key,
                "place": str(one.scenario.mark) if one.scenario.mark is not None else None,
                "holds": one.holds,
                "seconds": round(one.seconds, 3),
                "findings": [_finding(finding) for finding in one.findings],
            }
            for layer, one in results
        ],
    }
    return orjson.dumps(shown, option=orjson.OPT_INDENT_2).decode()


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "place": str(finding.mark) if finding.mark is not None else None,
        "text": finding.text,
        "expected": finding.expected,
        "found": finding.found,
    }


def _junit(results: Sequence[Result], seconds: float) -> str:
    bad = sum(not one.holds for _layer, one in results)
    totals = {"tests": str(len(results)), "failures": str(bad), "time": f"{seconds:.3f}"}
    suite = ElementTree.Element("testsuite", {"name": "trellis", **totals})
    for layer, one in results:
        attributes = {"classname": layer, "name": one.scenario.key, "time": f"{one.seconds:.3f}"}
        if one.scenario.mark is not None:
            attributes |= {"file": one.scenario.mark.file, "line": str(one.scenario.mark.line)}
        case = ElementTree.SubElement(suite, "testcase", attributes)
        for finding in one.findings:
            ElementTree.SubElement(case, "failure", {"message": finding.text}).text = str(finding)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True)


FORMATS: dict[str, Format] = {"text": summary, "json": _json, "junit": _junit}
