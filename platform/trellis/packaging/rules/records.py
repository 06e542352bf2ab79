"""Scenarios and data: what shows that it works, and what there is to see."""

from __future__ import annotations

from collections.abc import Iterator

from trellis.config.problem import Problem
from trellis.packaging.rules.registry import Subject, rule
from trellis.records.transfer.loader import data_files
from trellis.records.transfer.mapping import BadMapping


@rule("scenarios")
def scenarios(subject: Subject) -> Iterator[Problem]:
    """It has scenarios, by which a buyer and the next version find out that it works."""
    if subject.compiled.model is not None and not subject.compiled.model.scenarios:
        yield Problem("W644", "there are no scenarios in tests/", subject.mark(), "", "docs/scenario-tests.md")


@rule("data")
def data(subject: Subject) -> Iterator[Problem]:
    """It has demo data, and every file of data can be read and belongs to an entity."""
    folder, model = subject.layer.path, subject.compiled.model
    if folder is None or model is None:
        return
    if not any(name.startswith("data/demo/") for name in subject.contents.files):
        yield Problem("W647", "there are no demo data", subject.mark(), "", "data/demo/<entity>.csv")
    for which in ("seed", "demo"):
        try:
            files = data_files([folder], which)
        except BadMapping as bad:
            for problem in bad.problems:
                yield Problem("E334", problem, subject.mark())
            continue
        for file in files:
            if file.entity not in model.entities:
                message = f"{file.path.relative_to(folder)}: there is no entity '{file.entity}'"
                yield Problem("E334", message, subject.mark(), "", "a data file is called like its entity")
