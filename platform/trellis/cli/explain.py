"""Say why a person can or cannot see or change a record, rule by rule."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from trellis.cli.user import of_tenant, opened

if TYPE_CHECKING:
    from trellis.records.access.explain import Explanation, Ruling

BECAUSE = {
    "internal": "people and teams are named everywhere",
    "unreadable": "a record must be readable for anything else",
    "system": "the system's own hand",
}


@click.command("explain")
@click.argument("user")
@click.argument("entity")
@click.argument("id")
@of_tenant
def command(user: str, entity: str, id: str, tenant: str, root: Path | None) -> None:
    """Say why USER (an e-mail address) can or cannot see or change the record ID of ENTITY, rule by rule."""
    from trellis.identity.accounts import find_account
    from trellis.identity.person import principal_for, read_person_by_id
    from trellis.records.refusal import Missing
    from trellis.records.store import Store

    with opened(tenant, root) as of:
        account = find_account(of, user)
        if account is None:
            raise click.ClickException(f"nobody has the address {user}")
        with of.begin() as connection:
            person = read_person_by_id(connection, of, account.id)
        if person is None:
            raise click.ClickException(f"{user} may not sign in, and sees nothing")
        if entity not in of.model.entities:
            raise click.ClickException(f"no entity {entity}")
        try:
            found = Store(of, principal_for(of, person)).explain(entity, id)
        except Missing as error:
            raise click.ClickException(f"there is no {entity} {id}") from error
        _tell(person.name, found)


def _tell(name: str, found: Explanation) -> None:
    click.echo(f"{name} and {found.entity} “{found.title}”{' (in the bin)' if found.in_bin else ''}")
    click.echo(f"  roles: {', '.join(key for key, _label in found.roles) or 'none'}")
    if found.is_portal:
        who = f"the contact “{found.contact.title}”" if found.contact is not None else "no contact: nothing is theirs"
        click.echo(f"  from outside, signs in as {who}")
    for share in found.shares:
        until = f", until {share.until.isoformat()}" if share.until is not None else ""
        with_whom = "them" if share.whom.entity == "user" else f"their team {share.whom.title or ''}".strip()
        by = f" by {share.by.title}" if share.by is not None and share.by.title else ""
        click.echo(f"  shared with {with_whom}{by}, to {'change' if share.level == 'write' else 'read'}{until}")
    for ruling in found.rulings:
        click.echo(f"  {ruling.action}: {'yes' if ruling.allowed else 'no'}{_aside(ruling)}")
        for rule in ruling.rules:
            source = f" ({rule.source})" if rule.source else ""
            named = f"{rule.level}{source}{f' as {rule.follows}' if rule.follows else ''}"
            asked = [f"{named}: {_word(rule.holds)}{', but it is shared' if rule.shared else ''}"]
            asked += ["but it lies in a pool"] if rule.pooled else []
            asked += [f"where {where.source}: {_word(where.holds)}" for where in rule.wheres]
            click.echo(f"    {rule.role}: {', '.join(asked)}")
        if not ruling.rules and not ruling.because:
            click.echo("    no role grants it")
    for field in found.fields:
        said = ", ".join(f"{role}: {mode or 'open'}" for role, mode in field.roles)
        click.echo(f"  field {field.field}: {field.mode} ({said})")


def _aside(ruling: Ruling) -> str:
    parts = [BECAUSE[ruling.because]] if ruling.because else []
    if ruling.through is not None:
        parts.append(f"as {ruling.through[1]} of its {ruling.through[0]}")
    return f" ({'; '.join(parts)})" if parts else ""


def _word(holds: bool) -> str:
    return "holds" if holds else "does not hold"
