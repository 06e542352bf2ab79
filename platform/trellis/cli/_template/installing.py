"""trellis template install, list and uninstall."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trellis.cli._template.packing import FILE, read
from trellis.cli.installation import fail_on_problems, installation
from trellis.cli.tenant import make_tenant, of_template

if TYPE_CHECKING:
    from trellis.packaging.package import Package
    from trellis.packaging.store import Store


@click.command("install")
@click.argument("file", type=FILE)
@click.option("--unsigned", is_flag=True, help="Take a package that nobody has signed.")
@click.option("--trust", is_flag=True, help="Trust the key that has signed it, from now on.")
@click.option("--test", is_flag=True, help="Play its scenarios first, on a throw-away tenant.")
@click.option("--tenant", help="Make this tenant of it, too.")
@of_template("--tenant")
def install(
    file: Path,
    unsigned: bool,
    trust: bool,
    test: bool,
    tenant: str | None,
    label: str | None,
    demo: bool,
    **profile: str,
) -> None:
    """Put the package FILE into this installation's store of templates; other versions stay beside it."""
    from trellis.packaging.store import NotInstalled

    package = read(file)
    with fail_on_problems():
        store = store_here()
        try:
            if test:
                _play(store, package)
            made = store.install(package, unsigned=unsigned, trust=trust)
        except NotInstalled as error:
            raise click.ClickException(str(error)) from error
        signed = f", signed by {made.signer.name}" if made.signer is not None else ""
        click.echo(f"{package.manifest.title} is installed{signed}: {made.path}")
    if tenant is not None:
        make_tenant(tenant, f"{made.name} {made.version}", {"label": label or tenant, **profile}, demo=demo)
    else:
        click.echo(f"Make a tenant of it: trellis tenant create NAME --template {made.name}")


def _play(store: Store, package: Package) -> None:
    """Play a package's scenarios with the core and the templates that are here."""
    from trellis.cli._kinds import import_kinds
    from trellis.config.layer import read_layer
    from trellis.packaging.package import unpack
    from trellis.packaging.scenarios.playing import THROW_AWAY, play_all
    from trellis.packaging.scenarios.report import told
    from trellis.storage.catalogue import Catalogue
    from trellis.storage.database import Database

    store.check(package)
    import_kinds()
    holds = True
    with tempfile.TemporaryDirectory(prefix="trellis-", ignore_cleanup_errors=True) as folder:
        place = Path(folder) / "template"
        place.mkdir()
        unpack(package, place)
        layers = store.workspace.layers_for(read_layer(place, package.layer.name, package.layer.folder))
        database = Database.open(None, Path(folder) / "var", settings=THROW_AWAY)
        try:
            for one in play_all(Catalogue(database), layers):
                holds = holds and one.holds
                click.echo(told(package.manifest.title, one))
        finally:
            database.close()
    if not holds:
        raise click.ClickException("its scenarios do not hold here: it is not installed")


@click.command("list")
def list_() -> None:
    """List the templates that tenants can be built on, with those that are."""
    from trellis.config.versions import newest, order
    from trellis.packaging.usage import uses

    store = store_here()
    with installation() as here:
        found = uses(here.catalogue)
    for one in store.list():
        using = [use.slug for use in found if use.versions.get(one.name) == one.version]
        whose = "in templates/" if one.is_own else f"signed by {one.signer.name}" if one.signer else "not signed"
        click.echo(f"{one.name:24} {one.version:10} {whose:32} {', '.join(using) or '-'}")
    for use in found:
        there = store.workspace.versions(use.template)
        latest = newest(there)
        if use.template and latest and order(latest) > order(use.version):
            click.echo(f"{use.slug} is on {use.template} {use.version}: trellis template upgrade {use.slug} {latest}")
    if not store.list():
        click.echo("There are none: trellis template install FILE, or trellis template new NAME")


@click.command("uninstall")
@click.argument("name")
@click.argument("version", required=False, default="")
def uninstall(name: str, version: str) -> None:
    """Take a template (one version, or all) out of the store, if no tenant is built on it. Tenants keep their data."""
    from trellis.packaging.store import NotInstalled
    from trellis.packaging.usage import uses

    store = store_here()
    with installation() as here:
        found = uses(here.catalogue)
    try:
        gone = store.uninstall(name, version, found)
    except NotInstalled as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{name} {', '.join(gone)} is not installed any more.")


def store_here() -> Store:
    """This installation's store of templates."""
    from trellis.config.workspace import Workspace
    from trellis.packaging.store import Store
    from trellis.web.settings import Settings

    settings = Settings.from_environment()
    settings.templates.mkdir(parents=True, exist_ok=True)
    return Store(Workspace(settings.root, settings.templates))


COMMANDS = (install, list_, uninstall)
