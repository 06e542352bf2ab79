"""Make people who can sign in, set passwords, list who there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from trellis.identity.accounts import Account
    from trellis.storage.tenant import Tenant

Command = TypeVar("Command", bound=Callable[..., None])


def of_tenant(function: Command) -> Command:
    """The options of every command here."""
    function = click.option("--tenant", "-t", required=True, help="The tenant's slug.")(function)
    root = click.Path(path_type=Path, file_okay=False)
    return click.option("--root", type=root, default=None, help="The folder with var/.")(function)


@click.group("user")
def command() -> None:
    """People who sign in to a tenant."""


@command.command("create")
@click.argument("email")
@click.option("--name", required=True, help="The person's name.")
@click.option("--role", "roles", multiple=True, help="A role's key; may be repeated.")
@click.option("--password", default=None, help="The password; without it the person is invited.")
@of_tenant
def create(email: str, name: str, roles: tuple[str, ...], password: str | None, tenant: str, root: Path | None) -> None:
    """Make a person and give them a way in."""
    from trellis.identity.accounts import find_account, set_password
    from trellis.identity.passwords import check_password
    from trellis.packaging.provision import system_store
    from trellis.records.refusal import Refused

    with opened(tenant, root) as of:
        if unknown := sorted(set(roles) - set(of.model.roles)):
            raise click.ClickException(f"no role {', '.join(unknown)}; there are {', '.join(of.model.roles)}")
        try:
            if password is not None:
                check_password(password, tenant=of)
            system_store(of).create("user", {"name": name, "email": email, "roles": list(roles)}, means="system")
        except Refused as refused:
            raise click.ClickException(str(refused)) from refused
        account = find_account(of, email)
        if account is None:
            raise click.ClickException(f"{email} was made but cannot be found again")
        if password is None:
            _invite(of, account, root)
        else:
            with of.begin() as connection:
                set_password(connection, of, account, password)
            click.echo(f"{name} <{email}> can sign in at /t/{tenant}/")


@command.command("password")
@click.argument("email")
@click.option("--link", is_flag=True, help="Print a link that sets the password once, instead of asking for one.")
@click.option("--password", default=None, help="The new password; asked for when left out.")
@of_tenant
def password(email: str, link: bool, password: str | None, tenant: str, root: Path | None) -> None:
    """Set a person's password; every session of theirs ends."""
    from trellis.identity.accounts import find_account, set_password
    from trellis.identity.passwords import check_password
    from trellis.records.refusal import Refused

    with opened(tenant, root) as of:
        account = find_account(of, email)
        if account is None:
            raise click.ClickException(f"nobody in {tenant} has the address {email}")
        if link:
            _print_link(of, account)
            return
        secret = password or click.prompt("New password", hide_input=True, confirmation_prompt=True)
        try:
            check_password(secret, account, of)
        except Refused as refused:
            raise click.ClickException(str(refused)) from refused
        with of.begin() as connection:
            set_password(connection, of, account, secret)
        click.echo(f"The password of {account.name} is set.")


@command.command("invite")
@click.argument("email")
@click.option("--link", is_flag=True, help="Print the link even where mail could bring it.")
@of_tenant
def invite(email: str, link: bool, tenant: str, root: Path | None) -> None:
    """Invite a person once more: by mail, or by a link to hand over where no mail server is set up."""
    from trellis.identity.accounts import find_account

    with opened(tenant, root) as of:
        account = find_account(of, email)
        if account is None:
            raise click.ClickException(f"nobody in {tenant} has the address {email}; see: trellis user create")
        _invite(of, account, root, mail=not link)


@command.command("list")
@of_tenant
def list_people(tenant: str, root: Path | None) -> None:
    """List everybody with their roles."""
    from trellis.packaging.provision import logins

    with opened(tenant, root) as of:
        for login in logins(of):
            click.echo(f"{login.email:<44} {login.name:<28} {', '.join(login.roles)}")


@contextmanager
def opened(slug: str, root: Path | None) -> Iterator[Tenant]:
    """A tenant of the installation at hand."""
    from trellis.storage.catalogue import Catalogue, NoSuchTenant
    from trellis.storage.database import Database
    from trellis.storage.secrets import use_installation_key
    from trellis.storage.upgrade import UpgradeNeeded, up_to_date
    from trellis.web.settings import Settings

    settings = Settings.from_environment(root=root)
    use_installation_key(settings.var)
    database = Database.open(settings.database_url, settings.var)
    try:
        yield up_to_date(Catalogue(database), slug)
    except NoSuchTenant as missing:
        raise click.ClickException(f"no tenant {slug}; see: trellis tenant list") from missing
    except UpgradeNeeded as needed:
        raise click.ClickException(str(needed)) from needed
    finally:
        database.close()


def _invite(tenant: Tenant, account: Account, root: Path | None, *, mail: bool = True) -> None:
    """By mail, where it is known at which address the link leads here; else the link is printed."""
    from trellis.identity.invitations import invite as send
    from trellis.web.settings import Settings

    base = Settings.from_environment(root=root).address_of(tenant.slug)
    sent = send(
        tenant,
        account.id,
        lambda secret: f"{base or f'/t/{tenant.slug}'}/invite/{secret}",
        mail=mail and base is not None,
    )
    if sent is None:
        raise click.ClickException(f"{account.email} cannot be invited")
    if sent.mailed:
        click.echo(f"The invitation to {account.email} is on its way.")
        return
    click.echo(f"{account.name} comes in at (once, within seven days):")
    click.echo(f"  {sent.link}")
    if base is None:
        click.echo("Set TRELLIS_URL to the address of this installation, and the link is whole and can go by mail.")


def _print_link(tenant: Tenant, account: Account) -> None:
    from trellis.identity.accounts import make_link

    click.echo(f"{account.name} sets a password at (once, within two days):")
    click.echo(f"  /t/{tenant.slug}/reset/{make_link(tenant, account)}")
