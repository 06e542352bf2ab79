"""trellis audit: check that nobody has tampered with the audit logs, and take one along."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path

import click

from trellis.cli.installation import installation


@click.group("audit")
def command() -> None:
    """Check the audit logs, export one, print its head."""


@command.command("verify")
@click.option("--tenant", help="Only this one; without it, all.")
@click.option("--head", "heads", multiple=True, help="A head printed earlier: 17:9f2c…; needs --tenant.")
def verify(tenant: str | None, heads: tuple[str, ...]) -> None:
    """Look for entries that were changed, removed or inserted; ends with 1 when there are any.

    The head of a log that is whole is noted in the catalogue and printed: kept somewhere else and given back with
    --head, it shows whether anything at the log's end is missing or was written anew.
    """
    from trellis.storage.audit.anchors import verify_tenant
    from trellis.storage.audit.verify import Head

    if heads and tenant is None:
        raise click.UsageError("--head needs --tenant: it is the head of one tenant's log.")
    try:
        known = [Head.parse(text) for text in heads]
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--head") from error
    broken = False
    with installation() as here:
        slugs = [tenant] if tenant is not None else [entry.slug for entry in here.catalogue.list()]
        for slug in slugs:
            verdict = verify_tenant(here.catalogue, here.tenant(slug), known)
            if verdict.is_whole:
                click.echo(f"{slug}: {verdict.entries} entries, nothing wrong. Head {verdict.head}")
                continue
            broken = True
            click.echo(f"{slug}: {len(verdict.findings)} findings in {verdict.entries} entries", err=True)
            for finding in verdict.findings:
                click.echo(f"  {finding.kind}: {finding.text}", err=True)
    if broken:
        raise SystemExit(1)


@command.command("head")
@click.argument("tenant")
def head(tenant: str) -> None:
    """Print the head of TENANT's log, and note it; it is not a check."""
    from trellis.storage.audit.anchors import anchor_now

    with installation() as here:
        click.echo(str(anchor_now(here.catalogue, here.tenant(tenant))))


@command.command("export")
@click.argument("tenant")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="The file; without it, the screen.")
def export(tenant: str, out: Path | None) -> None:
    """Write TENANT's whole log as JSON lines, with the hashes and all that they are made of."""
    from trellis.storage.audit import note
    from trellis.storage.audit.reading import lines

    with installation() as here:
        found = here.tenant(tenant)
        if out is None and hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(encoding="utf-8", newline="")
        count = 0
        writing = out.open("w", encoding="utf-8", newline="") if out else nullcontext(sys.stdout)
        with writing as file, found.begin() as connection:
            for line in lines(connection, found):
                file.write(line + "\n")
                count += 1
        with found.begin() as connection:
            note(connection, found, "company.log-exported", details={"count": count})
        if out:
            click.echo(f"{count} entries in {out}")
