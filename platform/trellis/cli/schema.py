"""trellis schema: JSON Schemas for editors, and the names that are taken."""

from __future__ import annotations

from pathlib import Path

import click
import orjson

from trellis.cli._template.making import workspace_at
from trellis.model.compile import compile_layers
from trellis.model.compile.editor import schemas
from trellis.model.compile.outline import RESERVED, RESERVED_ENTITIES


@click.command("schema")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="Write one file for each kind into this folder."
)
@click.option("--tenant", help="Name this tenant's entities in the schemas.")
def command(out: Path | None, tenant: str | None) -> None:
    """Write the JSON Schema of every kind of document; without --out, list the kinds and the reserved names."""
    entities: list[str] = []
    if tenant is not None:
        compiled = compile_layers(workspace_at(Path.cwd()).layers_for_tenant(tenant))
        if compiled.model is None:
            raise click.ClickException(f"tenant '{tenant}' has errors: run `trellis check tenants/{tenant}`")
        entities = list(compiled.model.entities)
    made = schemas(entities)
    if out is None:
        click.echo("Kinds: " + ", ".join(k for k in sorted(made) if k != "trellis"))
        click.echo("Reserved field names: " + ", ".join(sorted(RESERVED)))
        click.echo("Reserved entity names: " + ", ".join(sorted(RESERVED_ENTITIES)))
        return
    out.mkdir(parents=True, exist_ok=True)
    for name, schema in made.items():
        (out / f"{name}.json").write_bytes(orjson.dumps(schema, option=orjson.OPT_INDENT_2) + b"\n")
    click.echo(f"{len(made)} schemas in {out}")
