"""trellis plan: what a change of configuration would do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trellis.cli.installation import fail_on_problems, installation, layers_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trellis.storage.plan import Plan
    from trellis.studio.taking_back import TakenBack

FORMATS = click.Choice(["text", "json"])


@click.command("plan")
@click.argument("tenant")
@click.argument("path", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--revision", type=int, help="Plan an earlier revision instead of files.")
@click.option("--live", is_flag=True, help="Plan the configuration that is live: what this version or a repair needs.")
@click.option("--format", "form", type=FORMATS, default="text", show_default=True)
@click.option("--sql", is_flag=True, help="Show the statements, too.")
def command(tenant: str, path: Path | None, revision: int | None, live: bool, form: str, sql: bool) -> None:
    """Show what applying PATH (default: tenants/TENANT) would change in TENANT's tables."""
    with installation() as here, fail_on_problems():
        from trellis.storage.followups import pending
        from trellis.storage.plan import plan
        from trellis.studio.taking_back import taken_back

        current = here.tenant(tenant, as_it_is=True)
        layers = layers_of(here, tenant, path, revision, live)
        planned = plan(current, layers)
        unfinished = tenant in pending(here.catalogue)
        from_files = revision is None and not live
        back = taken_back(here.catalogue, tenant, layers) if from_files else []
    if form == "json":
        told = planned.as_json() | {"takes_back": [one.as_json() for one in back]}
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        show(planned, sql=sql)
        show_taken_back(tenant, back)
        if unfinished:
            click.echo("The last apply is still at work on old records, or was stopped: `trellis apply` goes on.")
    if planned.failing:
        raise SystemExit(1)


def show(planned: Plan, *, sql: bool = False, allowed: bool = False) -> None:
    """Print a plan for people; `allowed`: they have said already that data may go."""
    tenant = planned.tenant
    if planned.is_empty:
        what = "only the configuration changes" if planned.changes_configuration else "nothing changes"
        click.echo(f"{tenant.slug}, revision {tenant.revision}: {what}; the tables stay as they are.")
    else:
        click.echo(f"{tenant.slug}, revision {tenant.revision}: {_count(len(planned.steps), 'step')}")
    for step in planned.steps:
        mark, color = ("-", "red") if step.destroys else ("!", "yellow") if step.failing else ("+", "green")
        click.secho(f"  {mark} {step.text}", fg=color)
        if step.failing:
            examples = f", for example: {', '.join(step.examples)}" if step.examples else ""
            unfit = "1 row does not fit" if step.failing == 1 else f"{step.failing} rows do not fit"
            click.secho(f"      {unfit}{examples}", fg="yellow")
        for statement in (*step.sql, *step.later) if sql else ():
            click.echo(f"      {statement};")
    for text in planned.advice:
        click.secho(f"  ? {text}", fg="yellow")
    if planned.destroys:
        lost = sum(s.rows for s in planned.destroys)
        need = "." if allowed else ": it needs --allow-destroy."
        click.secho(f"This destroys data ({_count(lost, 'row')}){need}", fg="red", err=True)
    if planned.failing:
        click.secho("Some rows do not fit: correct them first, nothing will be applied.", fg="yellow", err=True)


def show_taken_back(slug: str, found: Sequence[TakenBack]) -> None:
    """Say what administrators have published in the browser and the files in hand do not have."""
    for one in found:
        what = f" ({', '.join(one.documents)})" if one.documents else ""
        click.secho(f"  < {one.path}{what}: takes back what {one.who} has published in the browser,", fg="red")
        click.secho(f"      revision {one.number} of {one.at:%Y-%m-%d %H:%M}: {one.why or '-'}", fg="red")
    if found:
        click.echo(f"`trellis tenant config {slug} --to tenants/{slug}` brings what is live into the folder.")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
