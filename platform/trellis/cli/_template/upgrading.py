"""trellis template upgrade."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trellis.cli.installation import Installation, fail_on_problems, installation, who

if TYPE_CHECKING:
    from trellis.config.layer import Layer
    from trellis.packaging.upgrading.planning import Upgrade

SHOWN = 40
SIGNS = {"added": ("+", "green"), "removed": ("-", "red"), "changed": ("~", None), "renamed": (">", "cyan")}
WORDS = {
    "nothing": "is on it already",
    "ready": "can be upgraded",
    "conflict": "cannot be upgraded: what it has of its own does not go with the new version",
    "rows": "cannot be upgraded: some rows do not fit",
    "destroys": "would lose data: it needs --allow-destroy",
}


@click.command("upgrade")
@click.argument("tenant", required=False)
@click.argument("version", required=False, default="")
@click.option("--all", "everyone", is_flag=True, help="Every tenant of a template, with --template.")
@click.option("--template", help="With --all: which template.")
@click.option("--to", help="With --all: the version; default: the newest that each tenant's manifest takes.")
@click.option(
    "--own",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Take the tenant's own files from this folder, where they were put right, instead of what is live.",
)
@click.option(
    "--test", is_flag=True, help="Play the new version's scenarios, with what the tenant has of its own on top."
)
@click.option("--yes", is_flag=True, help="Do it. Without this, what would be done is shown.")
@click.option("--allow-destroy", is_flag=True, help="Let data go that the new version has no place for.")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text")
def upgrade(
    tenant: str | None,
    version: str,
    everyone: bool,
    template: str | None,
    to: str | None,
    own: Path | None,
    test: bool,
    yes: bool,
    allow_destroy: bool,
    style: str,
) -> None:
    """Show what going to VERSION of its template (default: the newest that its manifest takes) means for TENANT.

    With --yes it is done, as a revision with the reason “Upgrade to NAME VERSION”; `trellis apply TENANT --revision N`
    goes back. What the tenant has of its own stays: where the template has given something another name, the tenant's
    files follow; what cannot go along is told with its place, and nothing is changed until it is mended (--own).
    """
    if everyone == (tenant is not None) or (everyone and not template):
        raise click.UsageError("name a tenant, or --all with --template NAME")
    with installation() as here, fail_on_problems():
        from trellis.storage.secrets import use_installation_key

        use_installation_key(here.settings.var)
        slugs = _of(here, template or "") if everyone else [str(tenant)]
        done = [
            _one(here, slug, to or version, own, style, brief=everyone, test=test, yes=yes, destroy=allow_destroy)
            for slug in slugs
        ]
    if style == "json":
        click.echo(json.dumps(done if everyone else done[0], indent=2, ensure_ascii=False))
    if everyone and style == "text" and not slugs:
        click.echo(f"No tenant is built on {template}.")
    if any(one["outcome"] not in ("ready", "nothing", "done") for one in done):
        sys.exit(1)


def _of(here: Installation, template: str) -> list[str]:
    from trellis.packaging.usage import uses

    return [use.slug for use in uses(here.catalogue) if use.template == template]


def _one(
    here: Installation,
    slug: str,
    wanted: str,
    own: Path | None,
    style: str,
    *,
    brief: bool,
    test: bool,
    yes: bool,
    destroy: bool,
) -> dict[str, Any]:
    """Plan for one tenant, tell it, and do it if that is wanted and possible."""
    from trellis.config.layer import read_layer
    from trellis.packaging.upgrading.planning import NoUpgrade, plan_upgrade

    loud = style == "text"
    try:
        layer = read_layer(own, f"tenants/{slug}", f"tenants/{slug}") if own is not None else None
        found = plan_upgrade(here.catalogue, here.workspace, here.tenant(slug), wanted, layer)
    except (NoUpgrade, click.ClickException) as error:
        if not brief:
            raise error if isinstance(error, click.ClickException) else click.ClickException(str(error)) from error
        if loud:
            click.echo(f"{slug}: {error}")
        return {"tenant": slug, "outcome": "refused", "message": str(error)}
    told = found.as_json()
    if loud and not (brief and found.outcome == "nothing"):
        show(found, brief=brief, destroy=destroy)
    outcome: str = found.outcome
    if test and outcome in ("ready", "destroys") and not _play(found, loud):
        outcome = told["outcome"] = "scenarios"
        if loud:
            click.secho(f"{slug}: the scenarios of {found.new} do not hold on it.", fg="red")
    if outcome == "ready" or (outcome == "destroys" and destroy):
        if yes:
            return told | _do(here, found, layer, destroy=destroy, loud=loud)
        told["outcome"] = "ready"
        if loud:
            click.echo(f"{slug} {WORDS['ready']}: --yes does it.")
    elif loud and outcome in WORDS:
        click.echo(f"{slug} {WORDS[outcome]}.")
    if loud and found.newer:
        click.echo(f"{found.newer} is there too, which its manifest does not take by itself: {_command(found)}")
    return told


def show(found: Upgrade, *, brief: bool = False, destroy: bool = False) -> None:
    """Tell what an upgrade means."""
    from trellis.cli.plan import show as show_plan
    from trellis.config.report import one_line, snippet

    click.secho(f"{found.tenant.slug}: {found.template} {found.old} → {found.new}", bold=True)
    if not brief:
        click.echo(
            "What the new version brings:" if found.changes else "The new version brings nothing that is not there."
        )
        for change in found.changes[:SHOWN]:
            sign, color = SIGNS[change.what]
            click.secho(f"  {sign} {change}", fg=color)
        if len(found.changes) > SHOWN:
            click.echo(f"  … and {len(found.changes) - SHOWN} more (--format json has all of them)")
    if found.mends:
        click.echo("Carried along in what the tenant has of its own:")
        for mended in found.mends:
            click.secho(f"  > {mended}", fg="cyan")
    if found.touches:
        click.echo("Where both have a word:")
        for touch in found.touches:
            click.secho(f"  ! {touch.text} ({touch.mark})", fg="yellow")
    for problem in found.problems:
        click.secho(one_line(problem), fg="red", err=True)
        for line in snippet(problem.mark, found.sources) if problem.mark is not None else ():
            click.echo(line, err=True)
    if found.plan is not None:
        show_plan(found.plan, allowed=destroy)


def _command(found: Upgrade) -> str:
    return f"trellis template upgrade {found.tenant.slug} {found.newer}"


def _play(found: Upgrade, loud: bool) -> bool:
    """Play the new version's scenarios on the tenant's own configuration, in a database that is thrown away."""
    from trellis.packaging.scenarios.playing import THROW_AWAY, play_all
    from trellis.packaging.scenarios.report import told
    from trellis.packaging.upgrading.planning import with_tests_of
    from trellis.storage.catalogue import Catalogue
    from trellis.storage.database import Database

    holds = True
    with tempfile.TemporaryDirectory(prefix="trellis-", ignore_cleanup_errors=True) as folder:
        database = Database.open(None, Path(folder), settings=THROW_AWAY)
        try:
            for one in play_all(Catalogue(database), with_tests_of(found)):
                holds = holds and one.holds
                if loud:
                    click.echo(told(f"{found.template} {found.new} on {found.tenant.slug}", one))
        finally:
            database.close()
    return holds


def _do(here: Installation, found: Upgrade, own: Layer | None, *, destroy: bool, loud: bool) -> dict[str, Any]:
    from trellis.packaging.upgrading.applying import Refused, carry_out, write_own

    slug = found.tenant.slug
    live = here.catalogue.revision(slug, found.tenant.revision).layers
    try:
        applied, failures = carry_out(here.catalogue, found, who(), allow_destroy=destroy)
    except Refused as error:
        if loud:
            click.secho(f"{slug}: {error}", fg="red", err=True)
        return {"outcome": "refused", "message": str(error)}
    begun = own or next(layer for layer in live if "tenant.yaml" in layer.files)
    written, differing = write_own(here.workspace, found, begun)
    if loud:
        click.secho(f"{slug} is on {found.template} {found.new}, revision {applied.revision}.", fg="green")
        click.echo(f"  `trellis apply {slug} --revision {found.tenant.revision}` goes back.")
        for failure in failures:
            click.echo(f"  not loaded: {failure}", err=True)
        for path in written:
            click.echo(f"  {path} was changed in the same way.")
        for path in differing:
            click.echo(f"  {path} is not what was live; what is live now is in the revision.")
    return {"outcome": "done", "revision": applied.revision, "not_loaded": failures}


COMMANDS = (upgrade,)
