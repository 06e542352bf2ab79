"""trellis secrets: the key that secrets are sealed with, and changing it."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from trellis.cli.installation import Installation

WAIT = 8  # seconds until every process of this installation has followed the new key


@click.group("secrets")
def command() -> None:
    """See which key secrets are sealed with, and give the installation another one."""


@command.command("status")
def status() -> None:
    """How many values are sealed with a key that is to go."""
    from trellis.cli.installation import installation
    from trellis.storage.rotation import count_old
    from trellis.storage.secrets import installation_keys, use_installation_key

    with installation() as here:
        use_installation_key(here.settings.var)
        keys = installation_keys(here.settings.var)
        click.echo("One key." if len(keys) == 1 else f"A new key, and {len(keys) - 1} that still open.")
        for entry in here.catalogue.list():
            if old := count_old(here.tenant(entry.slug)):
                click.echo(f"{entry.slug}: {old} values are sealed with another key: run `trellis secrets rotate`.")


@command.command("rotate")
@click.option("--keep-old", is_flag=True, help="Let the old key stay, for backups that were made with it.")
@click.option("--wait", default=WAIT, show_default=True, help="Seconds until all processes have followed the new key.")
def rotate(keep_old: bool, wait: int) -> None:
    """Make a new key, seal everything with it, and let the old one go. Interrupted, the next run goes on."""
    from trellis.cli.installation import installation
    from trellis.storage.rotation import count_old
    from trellis.storage.secrets import use_installation_key

    with installation() as here:
        _begin(here)
        use_installation_key(here.settings.var)
        if wait:
            click.echo(f"Waiting {wait} s until every process has followed …", err=True)
            time.sleep(wait)
        slugs = [entry.slug for entry in here.catalogue.list()]
        for slug in slugs:
            _sweep(here, slug)
        if left := sum(count_old(here.tenant(slug)) for slug in slugs):
            raise click.ClickException(
                f"{left} values were sealed with the old key meanwhile, by a process that does not follow."
                " Restart the servers and workers, then run this once more."
            )
        if keep_old:
            click.echo("Everything is sealed with the new key; the old one still opens.")
        else:
            _end(here)


def _begin(here: Installation) -> None:
    """Put a new key before the old one, unless that has been done."""
    from cryptography.fernet import Fernet

    from trellis.storage.secrets import OLD, installation_keys, write_keys

    keys = installation_keys(here.settings.var)
    if os.environ.get("TRELLIS_SECRET_KEY"):
        if not os.environ.get(OLD):
            raise click.ClickException(
                f"The key comes from the environment. Give every process the new one as TRELLIS_SECRET_KEY and the old"
                f" one as {OLD}, restart them, and run this once more with both; then take {OLD} away."
            )
        return
    if len(keys) == 1:
        write_keys(here.settings.var, [Fernet.generate_key(), *keys])
        click.echo("A new key is in place; the old one still opens.", err=True)
    else:
        click.echo("Going on with a rotation that was interrupted.", err=True)


def _sweep(here: Installation, slug: str) -> None:
    """Seal a tenant's values anew, and tell how many they were."""
    from trellis.storage.rotation import sweep

    swept = sweep(here.tenant(slug))
    click.echo(f"{slug}: {swept.resealed} values sealed anew")
    if swept.lost:
        click.echo(
            f"{slug}: {swept.lost} values were sealed with a key that is gone; they are left as they are", err=True
        )


def _end(here: Installation) -> None:
    from trellis.storage.secrets import OLD, installation_keys, write_keys

    if os.environ.get("TRELLIS_SECRET_KEY"):
        click.echo(f"Everything is sealed with the new key: take {OLD} away, and restart.")
        return
    write_keys(here.settings.var, installation_keys(here.settings.var)[:1])
    click.echo("Everything is sealed with the new key, and the old one is gone. Make new backups.")
