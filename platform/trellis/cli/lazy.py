"""The WSGI app of a server that forks: nothing is imported or opened before the first request of each process."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

AWAY = b"database unreachable\n"


class LazyApp:
    """Opens the database in the process that answers the first request; `root` is the folder with schemas/."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root
        self._app: WSGIApplication | None = None
        self._guard = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        app = self._app or self._open()
        if app is None:
            start_response(
                "503 Service Unavailable", [("Content-Type", "text/plain"), ("Content-Length", str(len(AWAY)))]
            )
            return [AWAY]
        return app(environ, start_response)

    def _open(self) -> WSGIApplication | None:
        """The app, or None while the database is away; the next request tries again."""
        import structlog

        from trellis.cli.assembly import open_server
        from trellis.storage.database import DatabaseUnusable
        from trellis.web import streams
        from trellis.web.dispatcher import behind_proxy
        from trellis.web.logs import set_up_logs
        from trellis.web.settings import Settings

        with self._guard:
            if self._app is None:
                if not structlog.is_configured():
                    set_up_logs()
                settings = Settings.from_environment(root=self.root)
                if os.environ.get("TRELLIS_STREAMS"):  # of the threads that this server has: it brings no others
                    streams.places.most = settings.streams
                try:
                    self._app = behind_proxy(open_server(settings), settings)
                except DatabaseUnusable as error:
                    structlog.get_logger().error("no database", error=str(error))
            return self._app
