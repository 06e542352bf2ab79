"""Run everything in one process, with the demo tenants."""

from __future__ import annotations

import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from trellis.storage.catalogue import Catalogue
    from trellis.web.dispatcher import Dispatcher
    from trellis.web.settings import Settings

SHOWN = 4  # demo sign-ins for each tenant
WORKER_THREADS = 2  # beside the threads that answer pages


@click.command("run")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8000, show_default=True, help="The port to listen on.")
@click.option("--threads", default=8, show_default=True, help="How many requests are answered at once.")
@click.option(
    "--demo/--no-demo", default=True, show_default=True, help="Make the tenants in tenants/ on the first start."
)
@click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="The folder with schemas/, templates/, tenants/.",
)
def command(host: str, port: int, threads: int, demo: bool, root: Path | None) -> None:
    """Start PostgreSQL (unless DATABASE_URL names one), make the demo tenants, serve until Ctrl-C."""
    from trellis.web.settings import Settings

    run(Settings.from_environment(root=root), host=host, port=port, threads=threads, demo=demo)


def run(settings: Settings, *, host: str = "127.0.0.1", port: int = 8000, threads: int = 8, demo: bool = True) -> None:
    """Open the database, provision, serve; leave nothing running."""
    from trellis.cli.assembly import open_server, open_worker
    from trellis.cli.serve import require_free, serve_until_stopped
    from trellis.web.assets import AssetsMissing, asset
    from trellis.web.logs import set_up_logs

    began = time.perf_counter()
    set_up_logs(level="WARNING", pretty=sys.stderr.isatty())
    signal.signal(signal.SIGTERM, _stop)
    try:
        asset("main.css")
    except AssetsMissing as missing:
        raise click.ClickException(str(missing)) from missing
    require_free(host, port)  # before minutes are spent on what could then not be served
    click.echo("Starting PostgreSQL …" if settings.database_url is None else "Connecting to PostgreSQL …", err=True)
    dispatcher = open_server(settings)
    worker = None
    try:
        if demo:
            provision(dispatcher.catalogue, settings)
        worker = open_worker(dispatcher.catalogue, settings, threads=WORKER_THREADS)
        serve_until_stopped(
            dispatcher,
            settings,
            host=host,
            port=port,
            threads=threads,
            ready=lambda: _tell(dispatcher, host, port, began),
        )
    finally:
        if worker is not None:
            worker.close()
        dispatcher.close()


def provision(catalogue: Catalogue, settings: Settings) -> None:
    """Make the tenants of the folder tenants/ that are not there yet."""
    from trellis.config.workspace import Workspace
    from trellis.storage.catalogue import BrokenConfiguration

    workspace = Workspace(settings.root, settings.templates)
    done = {entry.slug for entry in catalogue.list() if entry.status != "provisioning"}
    for slug in sorted(set(workspace.tenants()) - done):
        from trellis.cli._kinds import import_kinds
        from trellis.packaging.provision import provision_demo  # the door and the importer: only on the first start

        import_kinds()  # what is set up with a tenant: mailboxes that are read, clocks, reminders
        began = time.perf_counter()
        click.echo(f"Making the demo tenant {slug} …", err=True, nl=False)
        try:
            failures = provision_demo(catalogue, workspace, slug)
        except BrokenConfiguration as broken:
            click.echo("", err=True)
            raise click.ClickException(f"{slug}: {broken}\nRun: trellis check tenants/{slug}") from broken
        click.echo(f" {time.perf_counter() - began:.1f} s", err=True)
        for failure in failures[:20]:
            click.echo(f"  not loaded: {failure}", err=True)


def _tell(dispatcher: Dispatcher, host: str, port: int, began: float) -> None:
    """Say that we serve; then, beside the serving, get the tenants' apps ready and say who can sign in."""
    shown = "localhost" if host in ("127.0.0.1", "0.0.0.0", "::", "::1") else host
    click.echo(f"\nTrellis is running at http://{shown}:{port}/  ({time.perf_counter() - began:.1f} s)\n")
    threading.Thread(target=_introduce, args=(dispatcher, f"http://{shown}:{port}"), daemon=True).start()


def _introduce(dispatcher: Dispatcher, site: str) -> None:
    from trellis.packaging.provision import DEMO_PASSWORD, is_demo, logins

    any_demo = False
    for entry in dispatcher.catalogue.list():
        built, closed = None, f"  ({entry.status})"
        if entry.status == "active":
            try:
                built, closed = dispatcher.apps.get(entry.slug), ""
            except Exception as error:  # the others are served all the same
                closed = f"  (cannot be served: {error}; `trellis doctor` says more)"
        click.echo(f"  {entry.label}  {site}/t/{entry.slug}/{closed}")
        if built is not None and built.app is not None and is_demo(dispatcher.catalogue, entry.slug):
            any_demo = True
            tenant = built.app.extensions["trellis"].tenant
            outside = frozenset(key for key, role in tenant.model.roles.items() if role.portal)
            for login in _varied(logins(tenant), outside):
                click.echo(f"      {login.email:<44} {', '.join(login.roles)}")
    if any_demo:
        click.echo(f"\n  The demo password is {DEMO_PASSWORD} for everybody.")
    click.echo("  Ctrl-C stops everything.\n")


def _varied(everybody: list[Any], outside: frozenset[str]) -> list[Any]:
    """A few people with different roles, administrators first, and one who comes to the portal."""
    by_role: dict[str, Any] = {}
    for login in everybody:
        for role in login.roles[:1]:
            by_role.setdefault(role, login)
    ordered = sorted(by_role.values(), key=lambda login: "admin" not in login.roles)
    guests = [login for login in ordered if outside.intersection(login.roles)]
    return [*(login for login in ordered if login not in guests)][:SHOWN] + guests[:1]


def _stop(_signal: int, _frame: Any) -> None:
    from trellis.automation import live

    live.end()
    raise SystemExit(0)
