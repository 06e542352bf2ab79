"""trellis worker: do what waits in the queue; as many of them as you like."""

from __future__ import annotations

import signal
from typing import Any

import click


@click.command("worker")
@click.option("--threads", default=4, show_default=True, help="How many jobs are done at once.")
def command(threads: int) -> None:
    """Work for every tenant of the database until SIGTERM or Ctrl-C, which wait for the jobs at hand."""
    from trellis.cli.assembly import open_worker
    from trellis.cli.installation import installation
    from trellis.web.logs import set_up_logs

    set_up_logs()
    with installation() as here:
        worker = open_worker(here.catalogue, here.settings, threads=threads)
        signal.signal(signal.SIGTERM, _stop)
        click.echo("Working. Ctrl-C stops after the jobs at hand.", err=True)
        try:
            worker.join()
        except (KeyboardInterrupt, SystemExit):
            click.echo("Stopping.", err=True)
        finally:
            worker.close(timeout=None)


def _stop(_signal: int, _frame: Any) -> None:
    raise SystemExit(0)
