"""Who may open a page."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import abort, redirect, request, url_for

from trellis.web.context import current_person, may

Page = TypeVar("Page", bound=Callable[..., Any])


def signed_in(page: Page) -> Page:
    """For people who are signed in: others go to the sign-in page and come back; htmx and fetch get 401."""

    @wraps(page)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        return page(*args, **kwargs) if current_person() is not None else ask_to_sign_in()

    return guarded  # type: ignore[return-value]


def needs(right: str) -> Callable[[Page], Page]:
    """For people with a right beside any entity: needs("admin")."""

    def decorate(page: Page) -> Page:
        @wraps(page)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if current_person() is None:
                return ask_to_sign_in()
            if not may(right):
                abort(403)
            return page(*args, **kwargs)

        return guarded  # type: ignore[return-value]

    return decorate


def ask_to_sign_in() -> Any:
    """The answer to a request that needs a person and has none."""
    if "HX-Request" in request.headers or "X-Requested-With" in request.headers:
        abort(401)
    wanted = request.full_path.rstrip("?") if request.method == "GET" else request.path
    target = f"{request.script_root}{wanted}"
    if request.path == "/":
        return redirect(url_for("AccountView.sign_in"))
    return redirect(url_for("AccountView.sign_in", next=target))
