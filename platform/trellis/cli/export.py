"""trellis export: records as CSV that the import takes back."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path

import click

from trellis.cli.import_ import system_store
from trellis.cli.installation import installation


@click.command("export")
@click.argument("tenant")
@click.argument("entity")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="The file; without it, the screen.")
@click.option("--columns", default="", help="Fields, with commas between; without it, all.")
@click.option("--filter", "where", default="", help="A formula that says which records.")
@click.option("--labels", is_flag=True, help="A header of labels in the tenant's language.")
@click.option("--excel", is_flag=True, help="Mark the file as UTF-8 (BOM), as Excel wants it.")
@click.option("--lines", is_flag=True, help="With --out: the lines of the records too, in OUT.<list>.csv.")
@click.option("--raw", is_flag=True, help="Leave cells as they are that a spreadsheet would run as formulas.")
def command(
    tenant: str,
    entity: str,
    out: Path | None,
    columns: str,
    where: str,
    labels: bool,
    excel: bool,
    lines: bool,
    raw: bool,
) -> None:
    """Export ENTITY of TENANT as CSV."""
    from trellis.records.refusal import Missing, Refused
    from trellis.records.transfer import export_csv, export_lines
    from trellis.records.writing.lines import part_lists

    if lines and out is None:
        raise click.UsageError("--lines needs --out: each list has a file of its own.")

    named = [name.strip() for name in columns.split(",") if name.strip()] or None
    encoding = "utf-8-sig" if excel else "utf-8"
    with installation() as here:
        store = system_store(here, tenant)
        if out is None and hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(encoding=encoding, newline="")
        try:
            with out.open("w", encoding=encoding, newline="") if out else nullcontext(sys.stdout) as file:
                chosen = [where] if where else ()
                count = export_csv(store, entity, file, columns=named, where=chosen, labels=labels, neutral=not raw)
            told = [(count, "records", out)]
            for inverse in part_lists(store.session, store.session.entity(entity)) if lines else ():
                assert out is not None  # asked for above
                beside = out.with_suffix(f".{inverse.name}.csv")
                with beside.open("w", encoding=encoding, newline="") as file:
                    count = export_lines(
                        store, entity, inverse.name, file, where=chosen, labels=labels, neutral=not raw
                    )
                told.append((count, f"{inverse.entity}", beside))
        except Missing as error:
            raise click.ClickException(f"{tenant} has no entity {entity}") from error
        except Refused as error:
            raise click.ClickException(str(error)) from error
    for number, what, path in told if out else ():
        click.echo(f"{number} {what} in {path}")
