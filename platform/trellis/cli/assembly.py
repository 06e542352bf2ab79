"""What a server is made of: the dispatcher with the pages, the API and the studio beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trellis.automation.worker import Worker
    from trellis.storage.catalogue import Catalogue
    from trellis.storage.database import Database
    from trellis.web.dispatcher import Dispatcher
    from trellis.web.settings import Settings


def open_server(settings: Settings, database: Database | None = None) -> Dispatcher:
    """Open the database and everything that is served from it."""
    from trellis.api.app import add_api
    from trellis.studio.app import add_studio
    from trellis.web.dispatcher import open_dispatcher

    return open_dispatcher(settings, database, extensions=(add_api, add_studio))


def open_worker(catalogue: Catalogue, settings: Settings, *, threads: int = 4) -> Worker:
    """A worker that knows every kind of job, at work."""
    from trellis.automation.worker import Worker, WorkerSettings
    from trellis.cli._kinds import import_kinds
    from trellis.storage.secrets import use_installation_key

    use_installation_key(settings.var)
    import_kinds()
    return Worker(catalogue, WorkerSettings(threads=threads)).start()
