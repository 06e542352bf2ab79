"""How a draft stands, for the editor: its files, what is wrong with them, and whether somebody else was faster."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from flask_babel import ngettext

from trellis.studio.checking import check
from trellis.studio.own import own_layer
from trellis.studio.words import problem_words, title_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trellis.config.problem import Problem
    from trellis.studio.draft import Draft

MOST_PROBLEMS = 200


def state_of(draft: Draft) -> dict[str, Any]:
    """Everything that the editor shows beside the text in hand."""
    own = own_layer(draft.layers, draft.slug).name
    # what one can do something about comes first
    problems = sorted(
        check(draft.layers, draft.slug)[1], key=lambda p: (not p.is_error, p.mark is None or p.mark.layer != own)
    )
    told = [problem_json(p, draft) for p in problems[:MOST_PROBLEMS]]
    return {
        "files": files_of(draft, problems),
        "problems": told,
        "errors": sum(p.is_error for p in problems),
        "advice": sum(not p.is_error for p in problems),
        "summary": _summary(problems),
        "changed": len(draft.changes),
        "stale": [c.path for c in draft.stale],
    }


def _summary(problems: Sequence[Problem]) -> str:
    errors = sum(p.is_error for p in problems)
    advice = len(problems) - errors
    told = [ngettext("%(num)d problem", "%(num)d problems", errors)] if errors else []
    told += [ngettext("%(num)d piece of advice", "%(num)d pieces of advice", advice)] if advice else []
    return ", ".join(told)


def files_of(draft: Draft, problems: Sequence[Problem]) -> list[dict[str, Any]]:
    """The tenant's own files, those that are to go included, with what is new about each."""
    own = own_layer(draft.layers, draft.slug)
    errors = Counter(p.mark.file for p in problems if p.mark is not None and p.is_error)
    gone = [path for path, change in draft.changes.items() if change.text is None]
    return [
        {
            "path": path,
            "state": _state(draft, path),
            "errors": errors.get(own.display(path), 0),
            "version": draft.changes[path].version if path in draft.changes else 0,
        }
        for path in [*draft.files, *gone]
    ]


def _state(draft: Draft, path: str) -> str:
    change = draft.changes.get(path)
    if change is None:
        return ""
    if change.text is None:
        return "gone"
    return "changed" if path in draft.live_files else "new"


def problem_json(problem: Problem, draft: Draft) -> dict[str, Any]:
    """A problem for the page. `file` is a path within the tenant's own layer, or None where it lies elsewhere."""
    message, hint = problem_words(problem)
    own = own_layer(draft.layers, draft.slug)
    mark = problem.mark
    inside = None
    if mark is not None and mark.file.startswith(f"{own.folder}/" if own.folder else ""):
        path = mark.file.removeprefix(f"{own.folder}/")
        inside = path if path in draft.files else None
    return {
        "code": problem.code,
        "severity": "error" if problem.is_error else "warning",
        "title": title_of(problem),
        "message": message,
        "hint": hint,
        "path": problem.path,
        "file": inside,
        "where": str(mark) if mark is not None else "",
        "line": mark.line if mark is not None else 1,
        "column": mark.column if mark is not None else 1,
    }
