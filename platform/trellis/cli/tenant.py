"""trellis tenant: make, list, close, drop, back up tenants."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from trellis.cli.installation import Installation, fail_on_problems, installation, layers_of, who

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trellis.config.layer import Layer


F = TypeVar("F", bound="Callable[..., Any]")


def of_template(with_what: str) -> Callable[[F], F]:
    """The options of a tenant that is made of a template alone; `with_what`: the option that they go with."""
    made = f"With {with_what}"

    def add(function: F) -> F:
        for option in (
            click.option("--demo", is_flag=True, help="Load the demo data too; its people have the demo password."),
            click.option("--language", default="en", show_default=True, help=f"{made}."),
            click.option("--time-zone", default="UTC", show_default=True, help=f"{made}."),
            click.option("--currency", default="EUR", show_default=True, help=f"{made}."),
            click.option("--label", help=f"{made}: the tenant's name for people."),
        ):
            function = option(function)
        return function

    return add


@click.group("tenant")
def command() -> None:
    """Make, list, close, drop, back up and restore tenants."""


@command.command("create")
@click.argument("slug")
@click.argument("path", required=False, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--template", help="Make it of this template alone (retail, or 'retail ^1.4'), without a folder of its own."
)
@of_template("--template")
def create(slug: str, path: Path | None, template: str | None, label: str | None, demo: bool, **profile: str) -> None:
    """Make the tenant SLUG of PATH (default: tenants/SLUG), with its seed data."""
    if template is not None:
        make_tenant(slug, template, {"label": label or slug, **profile}, demo=demo)
        return
    with installation() as here, fail_on_problems():
        _provision(here, slug, layers_of(here, slug, path), demo=demo)


def make_tenant(slug: str, template: str, profile: dict[str, str], *, demo: bool) -> None:
    """Make a tenant of a template alone (`retail`, or in a range of versions: `retail ^1.4`)."""
    with installation() as here, fail_on_problems():
        _provision(here, slug, _template_layers(here, slug, template, profile), demo=demo)


def _provision(here: Installation, slug: str, layers: Sequence[Layer], *, demo: bool) -> None:
    from trellis.packaging.provision import DEMO_PASSWORD, provision
    from trellis.records.transfer.mapping import BadMapping
    from trellis.storage.catalogue import BrokenConfiguration, TenantExists
    from trellis.storage.secrets import use_installation_key

    use_installation_key(here.settings.var)
    try:
        failures = provision(here.catalogue, slug, layers, who(), demo=demo)
    except BadMapping as error:
        here.catalogue.drop(slug)  # made a moment ago, and of no use without its data
        raise click.ClickException(str(error)) from error
    except BrokenConfiguration:
        raise  # told problem by problem
    except (TenantExists, ValueError) as error:
        raise click.ClickException(str(error)) from error
    for failure in failures:
        click.echo(f"not loaded: {failure}", err=True)
    tenant = here.tenant(slug, as_it_is=True)
    click.echo(f"{tenant.slug} is there, with {len(tenant.model.entities)} entities: /t/{tenant.slug}/")
    if demo:
        click.echo(f"Its people sign in with {DEMO_PASSWORD}; see: trellis user list -t {slug}")
    else:
        click.echo(f"Who may sign in: trellis user create EMAIL --name NAME --role admin -t {slug}")


def _template_layers(here: Installation, slug: str, template: str, profile: dict[str, str]) -> Sequence[Layer]:
    import json

    from trellis.config.layer import layer_from_files
    from trellis.config.problem import did_you_mean
    from trellis.config.versions import newest
    from trellis.packaging.requirements import raise_unmet

    known = here.workspace.templates()
    name, _, wanted = template.partition(" ")
    if name not in known:
        raise click.ClickException(f"there is no template {name} ({did_you_mean(name, known)})")
    there = here.workspace.versions(name)
    version = newest(there, wanted)
    if version is None:
        raise click.ClickException(f"no version of {name} is {wanted}: there is {', '.join(there)}")
    # JSON is YAML, and quotes what needs it; by itself it goes along with every version that does not break it
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in profile.items()]
    pinned = wanted if wanted and wanted != version else f"^{'.'.join(version.split('.')[:2])}"
    text = "\n".join([f"tenant: {slug}", f"template: {name} {pinned}", *lines]) + "\n"
    own = layer_from_files(slug, {"tenant.yaml": text}, f"tenants/{slug}")
    layers = here.workspace.layers_for(own)
    raise_unmet(layers)
    return layers


@command.command("list")
def list_() -> None:
    """List the tenants."""
    with installation() as here:
        for entry in here.catalogue.list():
            click.echo(f"{entry.slug:24} {entry.status:12} revision {entry.revision:<4} {entry.label}")


@command.command("show")
@click.argument("slug")
def show(slug: str) -> None:
    """Show what SLUG is made of, and its revisions."""
    with installation() as here, fail_on_problems():
        tenant = here.tenant(slug, as_it_is=True)
        profile = tenant.profile
        click.echo(f"{profile.label} ({tenant.slug}), {tenant.status}, revision {tenant.revision}")
        click.echo(f"  template {profile.template or '-'}, {profile.language}, {profile.currency}, {profile.time_zone}")
        click.echo(f"  {len(tenant.model.entities)} entities, schema {tenant.schema}, role {tenant.role}")
        for revision in here.catalogue.revisions(slug):
            why = f": {revision.why}" if revision.why else ""
            click.echo(f"  {revision.number:>4}  {revision.at:%Y-%m-%d %H:%M}  {revision.who}{why}")


@command.command("config")
@click.argument("slug")
@click.option("--to", "folder", type=click.Path(file_okay=False, path_type=Path), help="Write the files into FOLDER.")
@click.option("--revision", type=int, help="An earlier revision instead of the live one.")
@click.option("--yes", is_flag=True, help="Do not ask before files in the folder are changed or deleted.")
def config(slug: str, folder: Path | None, revision: int | None, yes: bool) -> None:
    """Write SLUG's own configuration back as YAML files, as it was published; without --to, list them."""
    with installation() as here:
        from trellis.studio.export import plan_export
        from trellis.studio.own import own_layer

        here.tenant(slug, as_it_is=True)
        try:
            told = here.catalogue.revision(slug, revision or here.catalogue.entry(slug).revision)
        except LookupError as error:
            raise click.ClickException(str(error)) from error
        if folder is None:
            for path, text in sorted(own_layer(told.layers, slug).text().items()):
                click.echo(f"{path}  {len(text.splitlines())} lines")
            return
        export = plan_export(told, slug, folder)
        for mark, paths in (("+", export.new), ("~", export.changed), ("-", export.gone)):
            for path in paths:
                click.echo(f"  {mark} {path}")
        if export.is_empty:
            click.echo(f"{folder} has all of revision {told.number} already.")
            return
        if (export.changed or export.gone) and not yes:
            click.confirm(f"Change these files in {folder}?", abort=True)
        export.write()
        click.echo(f"{folder} is what {slug} is made of, revision {told.number}.")


@command.command("suspend")
@click.argument("slug")
def suspend(slug: str) -> None:
    """Close SLUG; its data stays."""
    with installation() as here:
        here.tenant(slug, as_it_is=True)
        here.catalogue.suspend(slug)
        click.echo(f"{slug} is closed; `trellis tenant resume {slug}` opens it again.")


@command.command("resume")
@click.argument("slug")
def resume(slug: str) -> None:
    """Open SLUG again."""
    with installation() as here:
        here.tenant(slug, as_it_is=True)
        here.catalogue.resume(slug)
        click.echo(f"{slug} is open.")


@command.command("drop")
@click.argument("slug")
@click.option("--yes", is_flag=True, help="Do not ask.")
def drop(slug: str, yes: bool) -> None:
    """Destroy SLUG: data, files, revisions."""
    with installation() as here:
        from trellis.storage.catalogue import NoSuchTenant

        try:
            here.catalogue.entry(slug)
        except NoSuchTenant:
            raise click.ClickException(f"there is no tenant {slug}") from None
        if not yes and click.prompt(f"Type {slug} to destroy all of its data") != slug:
            raise click.Abort
        here.catalogue.drop(slug)
        shutil.rmtree(here.settings.var / "files" / slug, ignore_errors=True)
        click.echo(f"{slug} is gone.")


@command.command("backup")
@click.argument("slug")
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
def backup(slug: str, file: Path | None) -> None:
    """Write SLUG's configuration, data and files into FILE (default: SLUG-<time>.trellis.zip)."""
    from datetime import datetime

    with installation() as here, fail_on_problems():
        from trellis.storage.backup import back_up

        here.tenant(slug, as_it_is=True)
        target = file or Path(f"{slug}-{datetime.now():%Y%m%d-%H%M%S}.trellis.zip")
        made = back_up(here.catalogue, slug, target, here.settings.var / "files")
        click.echo(f"{target}: {made.rows} rows, {made.files} files, {target.stat().st_size / 1e6:.1f} MB")


@command.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--as", "slug", help="Another name for the tenant.")
def restore(file: Path, slug: str | None) -> None:
    """Make a tenant of the backup FILE."""
    with installation() as here, fail_on_problems():
        from trellis.storage.backup import BackupUnusable
        from trellis.storage.backup import restore as restore_tenant
        from trellis.storage.catalogue import TenantExists

        try:
            tenant = restore_tenant(here.catalogue, file, who(), here.settings.var / "files", slug=slug)
        except TenantExists as error:
            raise click.ClickException(f"{error}: use --as NAME") from error
        except (BackupUnusable, ValueError) as error:
            raise click.ClickException(str(error)) from error
        click.echo(f"{tenant.slug} is there again: /t/{tenant.slug}/")
