"""trellis template new and check."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from trellis.config.workspace import Workspace
    from trellis.packaging.checking import Checked


@click.command("new")
@click.argument("name")
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), help="The folder; default: templates/NAME.")
@click.option("--label", default="", help="What people read; made from NAME if left out.")
@click.option("--entity", default="job", show_default=True, help="The key of the first entity.")
@click.option("--author", default="Your company", show_default=True)
@click.option("--license", "license_", default="Apache-2.0", show_default=True, help="Its SPDX name.")
@click.option(
    "--from",
    "source",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Begin with the files of this template, or with what this tenant has of its own.",
)
def new(name: str, into: Path | None, label: str, entity: str, author: str, license_: str, source: Path | None) -> None:
    """Make the template NAME: a folder that checks clean, with one of everything and a word about each."""
    from trellis.packaging.contents import Unpackable
    from trellis.packaging.starting import Beginning, NotMade, begin, begin_from
    from trellis.web.settings import Settings

    target = into or Settings.from_environment().root / "templates" / name
    beginning = Beginning(name, label, entity, author, license_)
    try:
        files = begin(target, beginning) if source is None else begin_from(target, beginning, source)
    except (NotMade, Unpackable) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{target} is there, with {len(files)} files. What comes next:")
    click.echo(f"  trellis template check {target}")
    click.echo(f"  trellis template test {target}")
    if into is None:
        click.echo(f"  trellis tenant create trial --template {name} --demo")


@click.command("check")
@click.argument("path", type=click.Path(exists=True, file_okay=False, path_type=Path), default=".")
@click.option("--format", "style", type=click.Choice(["text", "json", "github"]), default="text")
@click.option("--quick", is_flag=True, help="Without loading seed and demo data, which needs a database for a moment.")
@click.option(
    "--root", type=click.Path(exists=True, file_okay=False, path_type=Path), help="The folder with the core's schemas/."
)
def check(path: Path, style: str, quick: bool, root: Path | None) -> None:
    """Check the template in PATH as it will be given to others: right, complete, with data that load.

    Errors (E…) exit with 1 and keep it from being packed; advice (W…) is for you to weigh.
    """
    from trellis.config.report import WRITERS
    from trellis.packaging.manifest import manifest

    checked = checked_folder(workspace_at(path, root), path)
    problems = list(checked.problems)
    if not quick and checked.is_sound:
        problems += _data(checked)
    errors = sum(problem.is_error for problem in problems)
    if problems or style != "text":
        click.echo(WRITERS[style](problems, checked.sources))
    if style == "text" and not errors:
        title = manifest(checked.layers[-1]).title
        click.echo(f"{title} is right." if not problems else f"{title} has no errors; the advice is yours to weigh.")
    for name in checked.contents.left:
        click.echo(f"not part of it: {name}", err=True)
    if errors:
        sys.exit(1)


def _data(checked: Checked) -> list[Problem]:
    from trellis.cli._kinds import import_kinds
    from trellis.packaging.checking import check_data
    from trellis.packaging.scenarios.playing import THROW_AWAY
    from trellis.storage.catalogue import Catalogue
    from trellis.storage.database import Database

    import_kinds()
    with tempfile.TemporaryDirectory(prefix="trellis-", ignore_cleanup_errors=True) as folder:
        database = Database.open(None, Path(folder), settings=THROW_AWAY)
        try:
            return check_data(Catalogue(database), checked)
        finally:
            database.close()


def workspace_at(path: Path, root: Path | None = None) -> Workspace:
    """The layers around a path, with the templates that are installed."""
    from trellis.config.workspace import Workspace, find_root
    from trellis.web.settings import Settings

    found = root or find_root(path)
    return Workspace(found, Settings.from_environment(root=found).templates)


def checked_folder(workspace: Workspace, path: Path) -> Checked:
    """Check a template's folder; what is no template is told in a sentence."""
    from trellis.packaging.checking import check_folder
    from trellis.packaging.contents import Unpackable
    from trellis.packaging.manifest import NoTemplate

    try:
        return check_folder(workspace, path)
    except (Unpackable, NoTemplate) as error:
        raise click.ClickException(str(error)) from error


if TYPE_CHECKING:
    from trellis.config.problem import Problem

COMMANDS = (new, check)
