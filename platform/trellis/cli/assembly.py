"""What a server is made of: the dispatcher with the pages, the API and the studio beside them."""

from __future__ import annotations

import threading
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trellis.automation.worker import Worker
    from trellis.storage.catalogue import Catalogue
    from trellis.storage.database import Database
    from trellis.web.dispatcher import Dispatcher
    from trellis.web.settings import Settings


def open_server(settings: Settings, database: Database | None = None) -> Dispatcher:
    """Open the database and everything that is served from it."""
    with _postgres_meanwhile(settings) if database is None else nullcontext():
        from trellis.api.app import add_api
        from trellis.studio.app import add_studio
        from trellis.web.dispatcher import open_dispatcher

        return open_dispatcher(settings, database, extensions=(add_api, add_studio))


@contextmanager
def _postgres_meanwhile(settings: Settings) -> Iterator[None]:
    """Let the embedded PostgreSQL start while a thousand modules are read: each takes its second."""
    if settings.database_url is not None:
        yield
        return
    from trellis.storage.embedded import EmbeddedServer

    held: list[EmbeddedServer] = []

    def start() -> None:
        with suppress(Exception):  # whoever opens the database meets it again, and says what to do
            held.append(EmbeddedServer(settings.var / "postgres"))

    beside = threading.Thread(target=start, name="trellis-postgres")
    beside.start()
    try:
        yield
    finally:
        beside.join()
        for server in held:
            server.close()


def open_worker(catalogue: Catalogue, settings: Settings, *, threads: int = 4) -> Worker:
    """A worker that knows every kind of job, at work."""
    from trellis.automation.worker import Worker, WorkerSettings
    from trellis.cli._kinds import import_kinds
    from trellis.storage.secrets import use_installation_key

    use_installation_key(settings.var)
    import_kinds()
    return Worker(catalogue, WorkerSettings(threads=threads)).start()
