"""Serve the tenants that there are; for production."""

from __future__ import annotations

import gc
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from trellis.web.dispatcher import Dispatcher
    from trellis.web.settings import Settings


@click.command("serve")
@click.option("--host", default="0.0.0.0", show_default=True, help="The address to listen on.")
@click.option("--port", default=8000, show_default=True, help="The port to listen on.")
@click.option("--threads", default=8, show_default=True, help="How many requests are answered at once.")
@click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="The folder with schemas/, templates/, tenants/.",
)
@click.option("--work/--no-work", default=True, show_default=True, help="Also do what waits in the queue.")
def command(host: str, port: int, threads: int, root: Path | None, work: bool) -> None:
    """Serve every tenant of the database; logs are JSON lines. gunicorn with app:app serves, too, but does no jobs."""
    from trellis.cli.assembly import open_server, open_worker
    from trellis.web.logs import set_up_logs
    from trellis.web.settings import Settings

    settings = Settings.from_environment(root=root)
    set_up_logs()
    signal.signal(signal.SIGTERM, _stop)
    dispatcher = open_server(settings)
    worker = open_worker(dispatcher.catalogue, settings, threads=2) if work else None
    try:
        serve_until_stopped(dispatcher, settings, host=host, port=port, threads=threads)
    finally:
        if worker is not None:
            worker.close()
        dispatcher.close()


def require_free(host: str, port: int) -> None:
    """Say at once that an address is taken."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise _taken(host, port, error) from error


def _taken(host: str, port: int, error: OSError) -> click.ClickException:
    return click.ClickException(f"cannot listen on {host}:{port}: {error.strerror}. Try --port {port + 1}.")


def serve_until_stopped(
    dispatcher: Dispatcher,
    settings: Settings,
    *,
    host: str,
    port: int,
    threads: int,
    ready: Callable[[], None] | None = None,
) -> None:
    """Answer requests until Ctrl-C or SIGTERM."""
    from waitress import create_server

    from trellis.web import streams
    from trellis.web.dispatcher import behind_proxy

    try:
        streams.places.most = settings.streams
        server = create_server(
            streams.Bounded(behind_proxy(dispatcher, settings), threads),
            host=host,
            port=port,
            threads=threads + settings.streams,  # pages that listen hold a thread each, and no request waits for them
            ident=None,
            # X-Forwarded-* are believed by behind_proxy() or by nobody
            clear_untrusted_proxy_headers=not settings.behind_proxy,
            log_untrusted_proxy_headers=False,
            max_request_body_size=128 * 2**20,
            channel_timeout=60,
        )
    except OSError as error:
        raise _taken(host, port, error) from error
    if ready is not None:
        ready()
    try:
        server.run()
    except (KeyboardInterrupt, SystemExit):
        click.echo("Stopping.", err=True)
    finally:
        server.close()
        gc.freeze()  # or Python looks through every tenant's objects once more before it ends: seconds


def _stop(_signal: int, _frame: Any) -> None:
    from trellis.automation import live

    live.end()
    raise SystemExit(0)
