"""trellis import: a CSV file as records, with an outcome for every row."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trellis.cli.installation import installation

if TYPE_CHECKING:
    from trellis.cli.installation import Installation
    from trellis.records.store import Store


@click.command("import")
@click.argument("tenant")
@click.argument("entity")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--map", "mapping", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A mapping (YAML)."
)
@click.option("--automation", is_flag=True, help="The records set workflows off, as those made by hand do.")
@click.option("--dry-run", is_flag=True, help="Tell what would happen, and change nothing.")
@click.option(
    "--outcome",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write each row's outcome. [FILE.outcome.csv]",
)
def command(
    tenant: str,
    entity: str,
    file: Path,
    mapping: Path | None,
    automation: bool,
    dry_run: bool,
    outcome: Path | None,
) -> None:
    """Import FILE into ENTITY of TENANT. Exits 1 when rows failed, 2 when the file does not fit.

    The header names fields by key or label; a link by what its records are known by, or `account.code`.
    """
    from trellis.records.refusal import Missing
    from trellis.records.transfer import BadMapping, ImportMap, Unreadable, import_table, read_mapping, read_table
    from trellis.records.transfer.outcome import OutcomeFile

    with installation() as here:
        store = system_store(here, tenant)
        target = outcome or file.with_suffix(".outcome.csv")
        try:
            given = read_mapping(mapping.read_bytes(), str(mapping)) if mapping else ImportMap()
            given = replace(given, automation=given.automation or automation)
            table = read_table(
                file.read_bytes(), encoding=given.encoding, delimiter=given.delimiter, header=given.header
            )
            with target.open("w", encoding="utf-8-sig", newline="") as out:
                written = OutcomeFile(out)
                summary = import_table(store, entity, table, given, dry_run=dry_run, on_outcome=written.write)
        except Missing as error:
            target.unlink(missing_ok=True)
            raise click.ClickException(f"{tenant} has no entity {entity}") from error
        except (BadMapping, Unreadable) as error:
            for problem in getattr(error, "problems", (str(error),)):
                click.echo(f"{file}: {problem}", err=True)
            target.unlink(missing_ok=True)
            raise SystemExit(2) from error
    click.echo(f"{'Would be: ' if dry_run else ''}{summary}")
    for failure in summary.failures[:10]:
        click.echo(f"{file}:{failure.line}: {failure.message}", err=True)
    click.echo(f"Each row's outcome: {target}")
    if summary.counts["failed"]:
        raise SystemExit(1)


def system_store(here: Installation, slug: str) -> Store:
    """A tenant's door as the system's own hand, with the tenant's language, time zone and currency."""
    from trellis.identity.person import reader_for
    from trellis.records.principal import Principal
    from trellis.records.store import Store
    from trellis.storage.secrets import use_installation_key

    use_installation_key(here.settings.var)
    tenant = here.tenant(slug)
    return Store(tenant, Principal.system(reader_for(tenant)))
