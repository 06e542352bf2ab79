"""The table that a run prints."""

from __future__ import annotations

from bench.registry import Result

HEAD = ("measure", "Trellis", "baseline", "floor", "ratio", "goal", "SQL", "")


def line(result: Result) -> tuple[str, ...]:
    """A result as cells."""
    verdict = "" if result.goal is None or result.ratio is None else ("MISSED" if result.is_missed else "ok")
    return (
        result.name,
        _amount(result.trellis, result.unit),
        _amount(result.baseline, result.unit),
        _amount(result.floor, result.unit),
        "" if result.ratio is None else f"{result.ratio:.2f} ×",
        "" if result.goal is None else f"≤ {result.goal:g}",
        "" if result.statements is None else str(result.statements),
        " ".join(filter(None, (verdict, result.note))),
    )


def _amount(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:,.3g} {unit}"


def write(results: list[Result]) -> str:
    """The table as Markdown, in columns that also line up as plain text."""
    lines = [HEAD, *(line(r) for r in results)]
    widths = [max(len(cells[at]) for cells in lines) for at in range(len(HEAD))]
    rows = ["| " + " | ".join(c.ljust(w) for c, w in zip(cells, widths, strict=True)) + " |" for cells in lines]
    rows.insert(1, "|" + "|".join("-" * (w + 2) for w in widths) + "|")
    return "\n".join(rows)
