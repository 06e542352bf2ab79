"""trellis privacy: what is held about a person, given out or erased."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from trellis.cli.import_ import system_store
from trellis.cli.installation import installation

if TYPE_CHECKING:
    from trellis.formula.types import Ref
    from trellis.records.privacy.erasing import Plan


@click.group("privacy")
def command() -> None:
    """Show, give out or erase what is held about a person."""


SAME = click.option("--also", multiple=True, metavar="ENTITY:ID", help="Another record of the same person; repeatable.")


@command.command("show")
@click.argument("tenant")
@click.argument("entity")
@click.argument("id")
@SAME
def show(tenant: str, entity: str, id: str, also: tuple[str, ...]) -> None:
    """What TENANT holds about the person of the record ID of ENTITY, and who else may be the same."""
    with installation() as here, _told():
        from trellis.records.privacy.erasing import plan
        from trellis.records.store import as_id

        store = system_store(here, tenant)
        with store.transaction():
            _print(plan(store.session, entity, as_id(id), _refs(also)))


@command.command("export")
@click.argument("tenant")
@click.argument("entity")
@click.argument("id")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The ZIP to write.")
@SAME
def export(tenant: str, entity: str, id: str, out: Path, also: tuple[str, ...]) -> None:
    """Write everything that is held about a person into a ZIP: JSON, a page, tables, files."""
    with installation() as here, _told():
        from trellis.records.privacy.gathering import gather, write_zip
        from trellis.records.store import as_id
        from trellis.web.privacy_page import draw_held

        store = system_store(here, tenant)
        with store.transaction(), out.open("wb") as file:
            found = gather(store.session, entity, as_id(id), _refs(also))
            page = draw_held(found, store.tenant.model, store.principal.reader)
            counts = write_zip(store.session, found, page, here.settings.var / "files", file)
        click.echo(f"{out}: " + ", ".join(f"{n} {name}" for name, n in counts.items()))


@command.command("erase")
@click.argument("tenant")
@click.argument("entity")
@click.argument("id")
@click.option("--reason", default="", help="Why; it stays in the audit log, so do not name the person.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@SAME
def erase(tenant: str, entity: str, id: str, reason: str, yes: bool, also: tuple[str, ...]) -> None:
    """Erase a person for good: what says who they are goes, what totals are made of stays."""
    with installation() as here, _told():
        from trellis.records.privacy import erasing
        from trellis.records.store import as_id

        store = system_store(here, tenant)
        with store.transaction():
            planned = erasing.plan(store.session, entity, as_id(id), _refs(also))
        _print(planned)
        name = planned.person.ref.title or id
        if not yes and click.prompt(f"This cannot be undone. Type {name} to erase") != name:
            raise click.Abort
        with store.session.write():
            done = erasing.erase(store.session, entity, as_id(id), _refs(also), reason=reason)
        erasing.remove_contents(here.settings.var / "files", store.tenant.slug, done)
        click.echo(f"Erased; the records are called {done.pseudonym} and the like now.")


@command.command("purge-log")
@click.argument("tenant")
def purge_log(tenant: str) -> None:
    """Remove the lines about who has read personal data that are older than TENANT keeps them."""
    from datetime import UTC, datetime

    from trellis.records.privacy.access import purge_old

    with installation() as here:
        click.echo(f"{purge_old(here.tenant(tenant), datetime.now(UTC))} lines removed")


def _print(planned: Plan) -> None:
    person = planned.person
    click.echo(f"{person.ref.title} ({person.ref.entity} {person.ref.id})")
    for title, counts in (
        ("their records", planned.records),
        ("about them alone", planned.activities | planned.stays),
        ("about others, too", planned.shared),
    ):
        if counts:
            click.echo(f"  {title}: " + ", ".join(f"{n} {key}" for key, n in counts.items()))
    click.echo(f"  {planned.files} files, {planned.comments} comments, {planned.history} changes")
    for ref, reason in planned.held.items():
        click.echo(f"  kept by law: {ref.title}: {reason}")
    for one in person.candidates:
        where = ", in the bin" if one.in_bin else ""
        click.echo(f"  the same person? {one.ref.title}{where}: --also {one.ref.entity}:{one.ref.id}")


def _refs(also: tuple[str, ...]) -> list[Ref]:
    from trellis.formula.types import Ref
    from trellis.records.store import as_id

    return [Ref(text.partition(":")[0], as_id(text.partition(":")[2])) for text in also]


class _told:
    """Turns what the door refuses into messages."""

    def __enter__(self) -> None:
        """Nothing to open."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        from trellis.records.refusal import Missing, Refused

        if isinstance(error, Missing):
            raise click.ClickException(
                "there is no such person: name an entity with personal data, and an id"
            ) from None
        if isinstance(error, Refused):
            raise click.ClickException(str(error)) from None
