"""trellis apply: plan, ask, do."""

from __future__ import annotations

from pathlib import Path

import click

from trellis.cli.installation import fail_on_problems, installation, layers_of, who
from trellis.cli.plan import show, show_taken_back


@click.command("apply")
@click.argument("tenant")
@click.argument("path", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--revision", type=int, help="Apply an earlier revision again instead of files.")
@click.option("--live", is_flag=True, help="Apply the configuration that is live: after an upgrade, or as a repair.")
@click.option("--allow-destroy", is_flag=True, help="Let data go that the configuration has no place for any more.")
@click.option("--over-studio", is_flag=True, help="Take back what administrators have published in the browser.")
@click.option("--why", default="", help="The reason, kept with the revision.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def command(
    tenant: str,
    path: Path | None,
    revision: int | None,
    live: bool,
    allow_destroy: bool,
    over_studio: bool,
    why: str,
    yes: bool,
) -> None:
    """Apply PATH (default: tenants/TENANT) to TENANT, after showing what changes."""
    with installation() as here, fail_on_problems():
        from trellis.storage.apply import ApplyRefused, apply
        from trellis.storage.followups import follow_up
        from trellis.storage.plan import plan
        from trellis.studio.taking_back import taken_back

        current = here.tenant(tenant, as_it_is=True)
        layers = layers_of(here, tenant, path, revision, live)
        planned = plan(current, layers)
        show(planned, allowed=allow_destroy)
        from_files = revision is None and not live
        lost = taken_back(here.catalogue, tenant, layers) if from_files else []
        show_taken_back(tenant, lost)
        if planned.is_empty and not planned.changes_configuration and not live:
            if not follow_up(here.catalogue, tenant):
                raise click.ClickException("the work on old records is not done; the log says why")
            return
        if (planned.destroys and not allow_destroy) or planned.failing:
            raise SystemExit(1)
        if lost and not over_studio:
            click.secho("Nothing was applied: --over-studio takes it back all the same.", fg="red", err=True)
            raise SystemExit(1)
        if not yes:
            click.confirm("Apply this?", abort=True)
        if not why and revision is not None:
            why = f"Back to revision {revision}"
        try:
            origin = "files" if revision is None else here.catalogue.revision(tenant, revision).origin
            applied = apply(here.catalogue, planned, who(), why, allow_destroy=allow_destroy, origin=origin)
        except ApplyRefused as error:
            raise click.ClickException(str(error)) from error
        click.echo(f"{applied.slug} is at revision {applied.revision}.")
