"""The WSGI app: sends a request to its tenant's app by address or host name, and answers what no tenant does."""

from __future__ import annotations

import hmac
import threading
from collections.abc import Iterable, Sequence
from io import BytesIO
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

import structlog
from werkzeug.middleware.proxy_fix import ProxyFix

from trellis.automation import state
from trellis.automation.live import hub_of
from trellis.records.session import commits
from trellis.storage.catalogue import Catalogue
from trellis.storage.database import Database
from trellis.storage.followups import follow_up_all
from trellis.storage.notify import Listener, on_revision
from trellis.storage.secrets import use_installation_key
from trellis.web import metrics, reading_log
from trellis.web.app import LARGEST_REQUEST, Extension
from trellis.web.apps import Apps, Built
from trellis.web.errors import FAILED
from trellis.web.front import create_front_app
from trellis.web.logs import request_id_of
from trellis.web.security import is_allowed_host
from trellis.web.settings import Settings
from trellis.web.static_files import is_static, serve_static

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = structlog.get_logger()
IN_MEMORY = 2**20  # larger bodies are kept in a file until they are answered
LOCAL = ("127.0.0.1", "::1")


class Dispatcher:
    """Every request comes in here."""

    def __init__(self, database: Database, settings: Settings, extensions: Sequence[Extension] = ()) -> None:
        self.database = database
        self.settings = settings
        self.catalogue = Catalogue(database)
        self.apps = Apps(self.catalogue, settings, extensions)
        self.front = create_front_app(settings, self.catalogue)
        self.listener: Listener | None = None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "") or "/"
        if is_static(path):
            return serve_static(environ, start_response)
        if path == "/healthz":
            return self._health(start_response)
        if path == "/metrics":
            return self._metrics(environ, start_response)
        environ["trellis.request_id"] = request_id_of(environ.get("HTTP_X_REQUEST_ID"))
        if not is_allowed_host(environ.get("HTTP_HOST", ""), self.settings):
            return self._front(environ, start_response, "host")
        slug, rest = self._tenant_of(environ, path)
        if slug is None:
            return self.front(environ, start_response)
        try:
            built = self.apps.get(slug)
        except Exception as error:
            log.exception("tenant cannot be served", tenant=slug)
            environ["trellis.error"] = error
            return self._front(environ, start_response, "broken")
        if built is None:
            return self._front(environ, start_response, "missing")
        if built.app is None:
            return self._front(environ, start_response, built.status, label=built.label)
        if rest is not None:
            if not rest:
                return _redirect(environ, start_response, f"{path}/")
            environ["SCRIPT_NAME"] = f"{environ.get('SCRIPT_NAME', '')}/t/{slug}"
            environ["PATH_INFO"] = rest
        environ["trellis.tenant"] = slug
        return self._serve(built, environ, start_response)

    def _tenant_of(self, environ: WSGIEnvironment, path: str) -> tuple[str | None, str | None]:
        """The slug, and the path below the tenant's address when the address names the tenant."""
        if path.startswith("/t/"):
            slug, slash, rest = path[3:].partition("/")
            return slug, (slash + rest)
        host = environ.get("HTTP_HOST", "").lower().rsplit(":", 1)[0]
        if host in self.settings.hosts:
            return self.settings.hosts[host], None
        if self.settings.domain and host.endswith(f".{self.settings.domain}"):
            return host[: -len(self.settings.domain) - 1], None
        return None, None

    def _serve(self, built: Built, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = _keep_body(environ)
        try:
            return self._answer(built, body, environ, start_response)
        finally:
            if body is not None:
                body.close()

    def _answer(
        self, built: Built, body: IO[bytes] | None, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Let the tenant's app answer; once more with a newer app if a revision came in between and it failed."""
        app: Any = built.app
        held: list[Any] = []

        def hold(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            if environ.get(FAILED):
                held[:] = [status, headers]
                return _nothing
            return start_response(status, headers, exc_info) if exc_info else start_response(status, headers)

        original = {"SCRIPT_NAME": environ.get("SCRIPT_NAME", ""), "PATH_INFO": environ["PATH_INFO"]}
        committed = commits.get()
        answer: Iterable[bytes] = app(environ, hold)
        if not environ.pop(FAILED, False):
            return answer
        newer = self.apps.newer(built)
        again: Any = newer.app if newer is not None else None
        if again is None:
            start_response(held[0], held[1])
            return answer
        close = getattr(answer, "close", None)
        if close is not None:
            close()
        log.info("request answered by the newer app", tenant=built.slug)
        if commits.get() != committed:
            # what was asked for is done; only its answer could not be shown
            return _look_again(environ, start_response)
        for name in [n for n in environ if n.startswith(("werkzeug.", "flask."))]:
            del environ[name]
        environ.update(original)
        environ["trellis.again"] = True
        if body is not None:
            body.seek(0)
            environ["wsgi.input"] = body
        second: Iterable[bytes] = again(environ, start_response)
        return second

    def _front(
        self, environ: WSGIEnvironment, start_response: StartResponse, refusal: str, *, label: str = ""
    ) -> Iterable[bytes]:
        environ["trellis.refusal"] = refusal
        environ["trellis.label"] = label
        return self.front(environ, start_response)

    def _health(self, start_response: StartResponse) -> Iterable[bytes]:
        try:
            with self.database.engine.connect() as connection:
                connection.exec_driver_sql("SELECT 1")
        except Exception as error:
            log.warning("not healthy", error=type(error).__name__)
            return _plain(start_response, "503 Service Unavailable", b"database unreachable\n")
        return _plain(start_response, "200 OK", b"ok\n")

    def _metrics(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """For this machine, or for who has the token: the names of tenants are in it."""
        token = self.settings.metrics_token
        if token:
            given = environ.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")
            allowed = hmac.compare_digest(given.encode(), token.encode())
        else:
            allowed = environ.get("REMOTE_ADDR") in LOCAL and "HTTP_X_FORWARDED_FOR" not in environ
        if not allowed:
            return _plain(start_response, "403 Forbidden", b"set TRELLIS_METRICS_TOKEN and send it as a bearer token\n")
        try:
            slugs = {entry.role: entry.slug for entry in self.catalogue.list()}
            found = {slugs.get(role, role): depth for role, depth in state.depths(self.database).items()}
            metrics.observe_queue(found, state.workers(self.database))
        except Exception as error:  # the other numbers are told all the same
            log.warning("the queue cannot be counted", error=type(error).__name__)
        return _plain(start_response, "200 OK", metrics.exposition(), metrics.CONTENT_TYPE)

    def close(self) -> None:
        """Stop listening, write what is still to be noted, and give back the database."""
        reading_log.flush()
        hub_of(self.database).close()
        if self.listener is not None:
            self.listener.close()
        self.database.close()


def open_dispatcher(
    settings: Settings, database: Database | None = None, extensions: Sequence[Extension] = ()
) -> Dispatcher:
    """Open the database and listen for new revisions."""
    use_installation_key(settings.var)
    dispatcher = Dispatcher(database or Database.open(settings.database_url, settings.var), settings, extensions)
    listen(dispatcher)
    # what a killed process has left undone; beside the serving, and by one process of several
    threading.Thread(target=_go_on, args=(dispatcher,), name="trellis-follow-up", daemon=True).start()
    return dispatcher


def _go_on(dispatcher: Dispatcher) -> None:
    try:
        follow_up_all(dispatcher.catalogue)
    except Exception:
        log.exception("work on old records failed")


def listen(dispatcher: Dispatcher) -> None:
    """Replace a tenant's app whenever any node publishes a revision of it."""

    def changed(slug: str, revision: int) -> None:
        dispatcher.apps.refresh(slug, revision)

    dispatcher.listener = on_revision(dispatcher.database, changed, dispatcher.apps.refresh_all)


def behind_proxy(app: Any, settings: Settings) -> WSGIApplication:
    """Believe the X-Forwarded-* headers of as many proxies as the settings say."""
    hops = settings.behind_proxy
    wrapped: WSGIApplication = ProxyFix(app, x_for=hops, x_proto=hops, x_host=hops) if hops else app
    return wrapped


def _keep_body(environ: WSGIEnvironment) -> IO[bytes] | None:
    """The request's body, so that it can be read twice; None when there is none."""
    if environ["REQUEST_METHOD"] in ("GET", "HEAD"):
        return None
    try:
        length = int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = 0
    given = environ["wsgi.input"]
    if not length and not environ.get("wsgi.input_terminated"):
        return None
    left = min(length, LARGEST_REQUEST + 1) if length else LARGEST_REQUEST + 1  # the app refuses what is larger
    body: IO[bytes] = BytesIO() if left <= IN_MEMORY else TemporaryFile()  # noqa: SIM115 - _serve closes it
    while left and (block := given.read(min(left, 65536))):
        body.write(block)
        left -= len(block)
    body.seek(0)
    environ["wsgi.input"] = body
    return body


def _look_again(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Let the browser load its page anew."""
    if "HTTP_HX_REQUEST" in environ:
        start_response("200 OK", [("HX-Refresh", "true"), ("Content-Length", "0"), ("Cache-Control", "no-store")])
    else:
        path = urlsplit(environ.get("HTTP_REFERER", "")).path.lstrip("/")  # “//name/” would be another site
        back = f"/{path}" if path else f"{environ.get('SCRIPT_NAME', '')}/"
        start_response("303 See Other", [("Location", back), ("Content-Length", "0"), ("Cache-Control", "no-store")])
    return []


def _redirect(environ: WSGIEnvironment, start_response: StartResponse, path: str) -> Iterable[bytes]:
    query = environ.get("QUERY_STRING")
    start_response(
        "308 Permanent Redirect", [("Location", f"{path}?{query}" if query else path), ("Content-Length", "0")]
    )
    return []


def _plain(
    start_response: StartResponse, status: str, body: bytes, kind: str = "text/plain; charset=utf-8"
) -> Iterable[bytes]:
    start_response(
        status,
        [
            ("Content-Type", kind),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
        ],
    )
    return [body]


def _nothing(_: bytes) -> None:
    """The write() of an answer that is thrown away."""
