"""The API's blueprint in a tenant's app: every request is identified, counted, admitted and answered in JSON."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, request
from flask_babel import gettext as _
from werkzeug.exceptions import HTTPException

from trellis.api import cors, rates
from trellis.api.caller import admit, identify
from trellis.api.problems import Problem, forbidden, missing, refused, title_of
from trellis.records.refusal import Forbidden, Missing, Refused
from trellis.web.security import csrf

api = Blueprint("api", __name__, url_prefix="/api/v1")


@api.before_request
def _begin() -> Response | None:
    if request.method == "OPTIONS":
        return cors.preflight()
    caller = identify()
    rates.count(caller)
    admit(caller)
    return None


@api.after_request
def _end(response: Response) -> Response:
    return cors.tell(rates.tell(response))


@api.errorhandler(Problem)
def _problem(error: Problem) -> Response:
    return error.answer()


@api.errorhandler(HTTPException)
def _http(error: HTTPException) -> Response:
    status = error.code or 500
    kinds = {400: "bad-request", 404: "not-found", 405: "method", 413: "too-large", 415: "media-type"}
    details = {
        404: _("There is nothing at this address."),
        405: _("This address does not take %(methods)s.", methods="this method"),
        413: _("Send less at once."),
    }
    detail = details.get(status) or title_of(status)
    return Problem(status, kinds.get(status, "http"), detail).answer()


api.register_error_handler(Refused, refused)
api.register_error_handler(Missing, missing)
api.register_error_handler(Forbidden, forbidden)


def add_api(app: Flask) -> None:
    """Serve the API from a tenant's app."""
    from trellis.api.assistants.transport import mcp
    from trellis.api.pages import ReferenceView
    from trellis.api.resources import load_resources
    from trellis.api.webhooks.pages import WebhooksView

    load_resources()
    csrf.exempt(api)  # keys need none; browsers' sessions are checked by identify()
    app.register_blueprint(api)
    csrf.exempt(mcp)
    app.register_blueprint(mcp)
    with app.app_context():
        app.extensions["appbuilder"].add_view_no_menu(ReferenceView)
        app.extensions["appbuilder"].add_view_no_menu(WebhooksView)
