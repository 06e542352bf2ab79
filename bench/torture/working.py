"""`trellis worker`, in a process that is forked from one that has imported everything."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import trellis.cli.worker
import trellis.web.logs
from trellis.automation.worker import Worker  # noqa: F401
from trellis.cli._kinds import import_kinds

import_kinds()


def work(url: str, var: str) -> None:
    """Be `trellis worker` until killed."""
    os.environ |= {"DATABASE_URL": url, "TRELLIS_VAR": var, "TRELLIS_OUTGOING_ALLOW": "127.0.0.0/8"}
    with (Path(var) / "workers.log").open("ab") as log:
        os.dup2(log.fileno(), sys.stdout.fileno())
        os.dup2(log.fileno(), sys.stderr.fileno())
        trellis.cli.worker.command.main(args=[], standalone_mode=False)
