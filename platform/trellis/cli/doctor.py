"""trellis doctor: what is wrong with this installation, and how to mend it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from trellis.web.settings import Settings

if TYPE_CHECKING:
    from trellis.storage.doctor import Finding

MARKS = {"ok": ("✓", "green"), "advice": ("!", "yellow"), "wrong": ("✗", "red")}


@click.command("doctor")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(form: str) -> None:
    """Look for what is wrong, and say how to mend it. Ends with 1 if something is."""
    found = _examine()
    if form == "json":
        rows = [{"check": name, "level": f.level, "text": f.text, "mend": f.mend} for name, f in found]
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        for name, finding in found:
            mark, color = MARKS[finding.level]
            click.secho(f"{mark} {name}: {finding.text}", fg=color)
            if finding.mend:
                click.echo(f"    {finding.mend}")
    if any(finding.level == "wrong" for _, finding in found):
        raise SystemExit(1)


def _examine() -> list[tuple[str, Finding]]:
    from trellis.storage.catalogue import Catalogue
    from trellis.storage.database import Database
    from trellis.storage.doctor import Finding, Patient, examine

    settings = Settings.from_environment()
    try:
        database = Database.open(settings.database_url, settings.var)
    except Exception as error:  # whatever the reason, the other checks go on
        found = list(examine(Patient(settings.root, settings.var)))
        return [*found, ("Database", Finding("wrong", str(error)))]
    try:
        return list(examine(Patient(settings.root, settings.var, Catalogue(database))))
    finally:
        database.close()
