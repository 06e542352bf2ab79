"""trellis template: make, check, test, pack, install and upgrade industry templates."""

from __future__ import annotations

import sys
import tempfile
import time
from fnmatch import fnmatch
from pathlib import Path

import click

from trellis.cli._template import installing, making, packing, upgrading
from trellis.cli._template.making import workspace_at


@click.group("template")
def command() -> None:
    """Make, check, test, pack, install and upgrade industry templates."""


for each in (*making.COMMANDS, *packing.COMMANDS, *installing.COMMANDS, *upgrading.COMMANDS):
    command.add_command(each)


@command.command("test")
@click.argument("path", type=click.Path(exists=True, path_type=Path), default=".")
@click.option("--only", "-k", help="Only scenarios whose key is this, or fits it: 'coupon-*'.")
@click.option(
    "--format", "style", type=click.Choice(["text", "json", "junit"]), default="text", help="What is written."
)
@click.option(
    "--root", type=click.Path(exists=True, file_okay=False, path_type=Path), help="The folder with the core's schemas/."
)
def test(path: Path, only: str | None, style: str, root: Path | None) -> None:
    """Play the scenarios in PATH's tests/: of the core, a template, a tenant, or a folder of those.

    They run on a throw-away tenant in a PostgreSQL of their own, with a clock that the scenarios move. Exits 1 when
    one of them does not hold, or when the configuration has errors.
    """
    from trellis.cli._kinds import import_kinds
    from trellis.config.report import WRITERS
    from trellis.model.compile import compile_layers
    from trellis.packaging.scenarios.playing import THROW_AWAY, play_all
    from trellis.packaging.scenarios.report import FORMATS, told
    from trellis.storage.catalogue import Catalogue
    from trellis.storage.database import Database

    workspace = workspace_at(path, root)
    stacks = workspace.stacks_for_path(path)
    for layers in stacks:
        compiled = compile_layers(layers)
        if not compiled.is_sound:
            click.echo(WRITERS["text"](compiled.problems, compiled.sources), err=True)
            sys.exit(1)
    import_kinds()
    begun = time.perf_counter()
    played = []
    with tempfile.TemporaryDirectory(prefix="trellis-", ignore_cleanup_errors=True) as folder:
        database = Database.open(None, Path(folder), settings=THROW_AWAY)
        try:
            catalogue = Catalogue(database)
            for layers in stacks:
                for one in play_all(catalogue, layers, lambda s: only is None or fnmatch(s.key, only)):
                    played.append((layers[-1].name, one))
                    if style == "text":
                        click.echo(told(layers[-1].name, one))
        finally:
            database.close()
    click.echo(FORMATS[style](played, time.perf_counter() - begun))
    if any(not one.holds for _layer, one in played):
        sys.exit(1)
