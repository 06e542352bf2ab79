"""Addresses that a page asks for by a route's name: Flask's own, though most are made once for all records."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import flask
import pytest
from werkzeug.routing import BuildError

from trellis.web.navigation import url_for
from trellis.web.rules import SharedRule

ONE, OTHER = UUID(int=1), UUID(int=2)


@pytest.fixture(scope="module")
def app() -> flask.Flask:
    """An app with routes like those of a record."""
    app = flask.Flask("addresses")
    for rule in (
        "/e/<entity>/<uuid:id>",
        "/e/<entity>/<uuid:id>/related/<name>",
        "/e/<entity>/new",
        "/runs/<uuid:run>",
    ):
        app.add_url_rule(rule, rule, lambda **_: "")
    return app


@pytest.mark.parametrize("root", ["", "/t/north", "/t/süd"])
@pytest.mark.parametrize(
    ("endpoint", "values"),
    [
        ("/e/<entity>/<uuid:id>", {"entity": "deal", "id": ONE}),
        ("/e/<entity>/<uuid:id>", {"entity": "deal", "id": OTHER}),
        ("/e/<entity>/<uuid:id>", {"entity": "deal", "id": ONE, "at": "latest"}),
        ("/e/<entity>/<uuid:id>", {"entity": "deal", "id": ONE, "toast": 1}),
        ("/e/<entity>/<uuid:id>", {"entity": "deal", "id": ONE, "toast": True}),
        ("/e/<entity>/<uuid:id>", {"entity": "deal", "id": ONE, "reply": OTHER}),
        ("/e/<entity>/<uuid:id>", {"entity": "deal", "id": ONE, "reply": None}),
        ("/e/<entity>/<uuid:id>", {"entity": "deal", "id": ONE, "_anchor": "tab"}),
        ("/e/<entity>/<uuid:id>/related/<name>", {"entity": "deal", "id": ONE, "name": "ein/name ä"}),
        ("/e/<entity>/new", {"entity": "deal", "copy": ONE}),
        ("/e/<entity>/new", {"entity": "deal"}),
        ("/runs/<uuid:run>", {"run": OTHER}),
    ],
)
def test_they_are_those_of_flask(app: flask.Flask, root: str, endpoint: str, values: dict[str, Any]) -> None:
    with app.test_request_context("/", base_url=f"http://localhost{root}/"):
        assert [url_for(endpoint, **values) for _ in range(2)] == [flask.url_for(endpoint, **values)] * 2


class Shared(flask.Flask):
    """An app as each tenant has one."""

    url_rule_class = SharedRule


def routed(rule: str, **options: Any) -> tuple[flask.Flask, Any]:
    """An app with one route, and the route."""
    app = Shared("shared")
    app.add_url_rule(rule, "page", lambda **_: "", **options)
    return app, next(found for found in app.url_map.iter_rules() if found.endpoint == "page")


def test_apps_share_what_writes_an_address_but_not_its_values() -> None:
    (one, first), (other, second) = routed("/e/<entity>/<uuid:id>"), routed("/e/<entity>/<uuid:id>")
    assert first._build.__func__ is second._build.__func__
    for app, id in ((one, ONE), (other, OTHER)):
        with app.test_request_context("/"):
            assert flask.url_for("page", entity="deal", id=id) == f"/e/deal/{id}"
            assert flask.url_for("page", entity="ä b", id=id, at="now") == f"/e/%C3%A4%20b/{id}?at=now"
            with pytest.raises(BuildError):
                flask.url_for("page", entity="deal")


def test_routes_with_values_of_their_own_share_nothing() -> None:
    for page in (1, 2):
        app, _ = routed("/p/<int:page>", defaults={"page": page})
        with app.test_request_context("/"):
            assert flask.url_for("page", page=page) == f"/p/{page}"
