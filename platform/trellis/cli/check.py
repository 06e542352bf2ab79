"""trellis check: all problems of a layer, template or tenant, without a database."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from trellis.cli._template.making import workspace_at
from trellis.config.problem import Problem
from trellis.config.report import WRITERS
from trellis.config.source import Source
from trellis.model.compile import compile_layers
from trellis.packaging.requirements import unmet


@click.command("check")
@click.argument("path", type=click.Path(exists=True, path_type=Path), default=".")
@click.option("--format", "style", type=click.Choice(sorted(WRITERS)), default="text", help="How problems are written.")
@click.option(
    "--root", type=click.Path(exists=True, file_okay=False, path_type=Path), help="The folder with the core's schemas/."
)
@click.option("--explain", metavar="CODE", help="Say what a code means and what to do, such as E304.")
def command(path: Path, style: str, root: Path | None, explain: str | None) -> None:
    """Check PATH: a layer, a template, a tenant, a folder of those, or loose YAML. Exits 1 when there are errors."""
    if explain is not None:
        _explain(explain.upper())
        return
    workspace = workspace_at(path, root)
    problems: dict[Problem, None] = {}  # what stands below several is told once
    sources: dict[str, Source] = {}
    for layers in workspace.stacks_for_path(path):
        compiled = compile_layers(layers)
        problems.update(dict.fromkeys([*compiled.problems, *unmet(layers)]))
        sources.update(compiled.sources)
    written = WRITERS[style](list(problems), sources)
    if written:
        click.echo(written)
    if any(p.is_error for p in problems):
        sys.exit(1)


def _explain(code: str) -> None:
    from trellis.config.codes import CODES

    if code not in CODES:
        raise click.ClickException(f"there is no code {code}; docs/reference/codes.md lists them")
    click.echo(f"{code}: {CODES[code].cause}.")
    click.echo(f"What to do: {CODES[code].mend}.")
