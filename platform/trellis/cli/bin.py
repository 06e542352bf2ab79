"""trellis bin: what lies in the recycle bin, and emptying it by age."""

from __future__ import annotations

import click

from trellis.cli.import_ import system_store
from trellis.cli.installation import installation


@click.group("bin")
def command() -> None:
    """Show the recycle bin, and delete for good what has been in it for long enough."""


@command.command("list")
@click.argument("tenant")
def show(tenant: str) -> None:
    """What lies in the bin of TENANT, by entity, and how long it stays there."""
    from trellis.records.recycling.purging import age_of

    with installation() as here:
        store = system_store(here, tenant)
        found = False
        for entity in store.tenant.model.entities.values():
            count = store.count(entity.key, deleted=True, cap=None).n
            if count:
                found = True
                age = age_of(store.session, entity)
                stays = "until it is deleted for good" if age is None else f"for {_days(age)}"
                click.echo(f"{entity.key}: {count}, each stays {stays}")
        if not found:
            click.echo("The bin is empty.")


@command.command("purge")
@click.argument("tenant")
@click.option("--older-than", help="An age such as '90 days', in the place of what the configuration says.")
@click.option("--dry-run", is_flag=True, help="Say what would go, and leave it.")
def purge(tenant: str, older_than: str | None, dry_run: bool) -> None:
    """Delete for good what TENANT deleted long enough ago, as `bin: {purge_after: 90 days}` says."""
    from trellis.model.durations import read_duration

    age = read_duration(older_than, "days") if older_than is not None else None
    if older_than is not None and (age is None or age.total_seconds() < 0):
        raise click.BadParameter(f"'{older_than}' is no length of time; write 90 days", param_hint="--older-than")
    with installation() as here:
        store = system_store(here, tenant)
        purged = store.purge_old(age, dry_run=dry_run)
        for one in purged:
            if dry_run:
                click.echo(f"{one.entity}: {one.due} would be deleted for good")
            else:
                held = f", {one.held} held by other records" if one.held else ""
                click.echo(f"{one.entity}: {one.done} deleted for good{held}")
        if not purged:
            click.echo("Nothing is old enough.")


def _days(age: object) -> str:
    from datetime import timedelta

    assert isinstance(age, timedelta)
    return f"{age.days} days" if age.days else f"{age.total_seconds() / 3600:g} hours"
