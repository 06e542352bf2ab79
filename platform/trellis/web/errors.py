"""Error pages in our design, and the same as fragments, JSON or a header for who does not show pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit, urlunsplit

import sqlalchemy as sa
import structlog
from flask import Response, g, jsonify, render_template, request
from flask_babel import gettext as _
from flask_login import AnonymousUserMixin
from flask_wtf.csrf import CSRFError, generate_csrf
from werkzeug.exceptions import HTTPException

from trellis.records.refusal import Forbidden, Missing
from trellis.storage.tenant import RevisionChanged
from trellis.web.context import current_person
from trellis.web.refusals import asked_by_script

if TYPE_CHECKING:
    from flask import Flask

log = structlog.get_logger()
FAILED = "trellis.failed"  # in the environ: the request failed; the dispatcher asks a newer app, if there is one
# what an app meets whose tenant is being changed: no such table, column, operator, function; another type; a deadlock
# with who changes it, or a lock that was waited for too long
OUTDATED = frozenset({"42P01", "42703", "42883", "42804", "42846", "22P02", "40P01", "55P03"})
# the database stops, starts, or takes nobody more; class 08 is a connection that broke, none at all that there was none
AWAY = frozenset({"57P01", "57P02", "57P03", "53300"})
FULL = "53100"  # its disk


def set_up_errors(app: Flask) -> None:
    """Answer every error ourselves: nobody sees a traceback."""
    app.register_error_handler(CSRFError, _expired)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Missing, lambda _error: answer(404))
    app.register_error_handler(Forbidden, lambda _error: answer(403))
    app.register_error_handler(Exception, _broken)


def words_for(status: int) -> tuple[str, str, str]:
    """An error's icon, heading and what to do."""
    words = {
        400: ("alert-circle", _("This request is not complete"), _("Go back and try again.")),
        401: ("lock", _("You are signed out"), _("Sign in to go on.")),
        403: ("lock", _("This is not for you"), _("Your role does not allow it. Ask an administrator if you need it.")),
        404: ("map-question", _("There is nothing here"), _("It was deleted, moved, or you may not see it.")),
        405: ("alert-circle", _("This address does not work that way"), _("Go back and try again.")),
        413: ("file-alert", _("That is too large"), _("Choose a smaller file.")),
        429: ("hourglass", _("Too many attempts"), _("Wait a minute, then try again.")),
        503: ("player-pause", _("Paused for a moment"), _("We are back shortly. What you have saved is safe.")),
    }
    broken = (
        "bug",
        _("Something went wrong on our side"),
        _("Nothing was changed. Try again; if it stays, give this number to an administrator."),
    )
    return words.get(status, broken)


def answer(status: int, *, message: str | None = None, title: str | None = None) -> Response:
    """An error in the form that the caller reads."""
    icon_name, heading, advice = words_for(status)
    heading = title or heading
    said = message or advice
    if (
        request.path.startswith("/api/")
        or request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"
    ):
        response = jsonify(type="about:blank", title=heading, status=status, detail=said, instance=g.get("request_id"))
        response.mimetype = "application/problem+json"
    elif asked_by_script():
        response = Response(said, mimetype="text/plain")
    else:
        response = Response(
            render_template(
                "errors/error.html",
                code=status,
                icon_name=icon_name,
                heading=heading,
                advice=said,
                request_id=g.get("request_id"),
                back=_way_back(),
            )
        )
    if message and asked_by_script():
        response.headers["X-Message"] = quote(message)  # what a page of ours shows
    response.status_code = status
    return response


def _way_back() -> str | None:
    """The page that one came from, when it is ours; not to what has just failed, unless that was a form of it."""
    came_from = urlsplit(request.referrer or "")
    own = request.method == "GET" and came_from.path == f"{request.script_root}{request.path}"
    if came_from.netloc != request.host or own:
        return None
    return urlunsplit(("", "", came_from.path, came_from.query, ""))


def _is_outdated(error: Exception) -> bool:
    """Whether a revision seems to have come in while the request was on its way."""
    return isinstance(error, RevisionChanged) or getattr(getattr(error, "orig", None), "sqlstate", None) in OUTDATED


def trouble(error: Exception | None) -> str | None:
    """What the database has, when that is why a request failed, in words."""
    if not isinstance(error, (sa.exc.OperationalError, sa.exc.InterfaceError)):
        return None
    state = getattr(error.orig, "sqlstate", None)
    if state == FULL:
        return str(_("The server has no room left to save anything. Nothing was changed. Tell an administrator."))
    if state is None or state.startswith("08") or state in AWAY:
        return str(_("The database cannot be reached at the moment. Nothing was changed. Try again in a minute."))
    return None


def _http(error: HTTPException) -> Any:
    if error.code is None or error.code < 400:
        return error
    shown = answer(error.code)
    for name, value in error.get_headers():
        if name.lower() in ("allow", "retry-after"):
            shown.headers[name] = value
    return shown


def _expired(error: CSRFError) -> Any:
    log.info("csrf refused", reason=error.description)
    is_script = asked_by_script()
    if is_script and current_person() is None:
        return answer(401)
    response = answer(
        400,
        message=_("The page was open for too long. Reload it and try again."),
        title=_("The page was open for too long"),
    )
    if is_script:  # signed in anew, in another tab: a page of ours takes the new token and asks once more
        response.headers["X-CSRFToken"] = generate_csrf()
    return response


def _broken(error: Exception) -> Any:
    if isinstance(error, (sa.exc.OperationalError, sa.exc.InterfaceError)):
        g._login_user = AnonymousUserMixin()  # who asks cannot be read, and is not asked for again
        if said := trouble(error):
            log.error("database in trouble", error=str(error.orig).strip().splitlines()[0])
            return answer(503, message=said)
    request.environ[FAILED] = True
    if _is_outdated(error) and "trellis.again" not in request.environ:
        log.warning("request met another revision", error=type(error).__name__)
    else:
        log.exception("request failed", error=type(error).__name__)
    try:
        return answer(500)
    except Exception:  # the page itself is what is broken: say it plainly
        log.exception("error page failed")
        return Response(f"Something went wrong. {g.get('request_id', '')}", status=500, mimetype="text/plain")
