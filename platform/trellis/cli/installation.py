"""What the commands work on: this installation's settings, database and layers."""

from __future__ import annotations

import getpass
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trellis.web.settings import Settings

if TYPE_CHECKING:
    from trellis.config.layer import Layer
    from trellis.config.workspace import Workspace
    from trellis.storage.catalogue import Catalogue
    from trellis.storage.tenant import Tenant


@dataclass(frozen=True)
class Installation:
    """An installation whose database is open."""

    settings: Settings
    catalogue: Catalogue
    workspace: Workspace

    def tenant(self, slug: str, *, as_it_is: bool = False) -> Tenant:
        """A tenant, or a message that says which there are; but `as_it_is`, its tables are this version's then."""
        from trellis.config.problem import did_you_mean
        from trellis.storage.catalogue import NoSuchTenant
        from trellis.storage.upgrade import UpgradeNeeded, up_to_date

        try:
            return self.catalogue.get(slug) if as_it_is else up_to_date(self.catalogue, slug)
        except UpgradeNeeded as needed:
            raise click.ClickException(str(needed)) from needed
        except NoSuchTenant:
            hint = did_you_mean(slug, [e.slug for e in self.catalogue.list()])
            make = f"`trellis tenant create {slug}` makes it"
            raise click.ClickException(f"there is no tenant {slug} ({hint or make})") from None


@contextmanager
def installation() -> Iterator[Installation]:
    """Open this installation's database for the length of a command."""
    from trellis.cli._kinds import import_kinds
    from trellis.config.workspace import Workspace
    from trellis.storage.audit import Actor, acting
    from trellis.storage.catalogue import Catalogue
    from trellis.storage.database import Database

    acting.set(lambda: Actor(by_name=who(), means="cli"))  # what the audit log is told
    import_kinds()  # workflows take part in every save, whoever saves
    settings = Settings.from_environment()
    database = Database.open(settings.database_url, settings.var)
    try:
        yield Installation(settings, Catalogue(database), Workspace(settings.root, settings.templates))
    finally:
        database.close()


@contextmanager
def fail_on_problems() -> Iterator[None]:
    """Print the problems of a broken configuration, and end with 1."""
    from trellis.storage.catalogue import BrokenConfiguration

    try:
        yield
    except BrokenConfiguration as error:
        for problem in error.problems:
            where = f"{problem.mark}: " if problem.mark else ""
            path = f" {problem.path}" if problem.path else ""
            hint = f" ({problem.hint})" if problem.hint else ""
            click.echo(f"{where}{problem.code}{path}: {problem.message}{hint}", err=True)
        raise SystemExit(1) from None


def layers_of(
    here: Installation, slug: str, path: Path | None, revision: int | None = None, live: bool = False
) -> Sequence[Layer]:
    """The layers that a command is about: an earlier revision's, the live ones, those at a path, the tenant's own."""
    if revision is not None or live:
        number = revision if revision is not None else here.catalogue.entry(slug).revision
        try:
            return here.catalogue.revision(slug, number).layers
        except LookupError as error:
            raise click.ClickException(str(error)) from error
    if path is None and slug not in here.workspace.tenants():
        raise click.ClickException(f"there is no folder tenants/{slug}: name a path, or --live for what is live")
    from trellis.packaging.requirements import raise_unmet

    layers = here.workspace.layers_for_tenant(slug) if path is None else here.workspace.layers_for_path(path)
    raise_unmet(layers)
    return layers


def who() -> str:
    """Who is at the keyboard, for the revision's record."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
