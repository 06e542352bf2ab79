"""trellis jobs: what waits in the queue, and what was given up."""

from __future__ import annotations

import click


@click.group("jobs")
def command() -> None:
    """See what waits in the queue; try dead letters once more, or throw them away."""


@command.command("list")
def list_() -> None:
    """How much waits for each tenant, for how long, and how much was given up."""
    from trellis.automation.state import depths
    from trellis.cli.installation import installation

    with installation() as here:
        found = depths(here.catalogue.database)
        slugs = {entry.role: entry.slug for entry in here.catalogue.list()}
        click.echo(f"{'tenant':<32}{'waiting':>9}{'running':>9}{'later':>9}{'dead':>7}{'oldest':>10}")
        for role, depth in sorted(found.items()):
            numbers = f"{depth.waiting:>9}{depth.running:>9}{depth.later:>9}{depth.dead:>7}{depth.oldest:>8.0f} s"
            click.echo(f"{slugs.get(role, '(platform)'):<32}{numbers}")


@command.command("dead")
@click.argument("tenant")
def dead(tenant: str) -> None:
    """The jobs of a tenant that were given up, with the reason."""
    from trellis.automation.state import dead_letters
    from trellis.cli.installation import installation

    with installation() as here:
        for letter in dead_letters(here.tenant(tenant)):
            click.echo(f"{letter.id:>8}  {letter.at:%Y-%m-%d %H:%M:%S}  {letter.kind}  {letter.error}")


@command.command("retry")
@click.argument("tenant")
@click.argument("ids", type=int, nargs=-1)
def retry(tenant: str, ids: tuple[int, ...]) -> None:
    """Try dead letters once more: those named, or all of the tenant's."""
    from trellis.automation.state import revive
    from trellis.cli.installation import installation

    with installation() as here:
        click.echo(f"{revive(here.tenant(tenant), ids or None)} jobs wait again")


@command.command("discard")
@click.argument("tenant")
@click.argument("ids", type=int, nargs=-1)
def discard(tenant: str, ids: tuple[int, ...]) -> None:
    """Throw dead letters away: those named, or all of the tenant's."""
    from trellis.automation.state import discard as throw
    from trellis.cli.installation import installation

    with installation() as here:
        click.echo(f"{throw(here.tenant(tenant), ids or None)} dead letters thrown away")
