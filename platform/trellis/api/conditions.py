"""Conditions of a write: If-Match against lost updates, Idempotency-Key against doing it twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from hashlib import sha256
from typing import Any, TypeVar

import sqlalchemy as sa
from flask import Response, request
from flask_babel import gettext as _
from sqlalchemy.dialects.postgresql import insert

from trellis.api.caller import current_caller
from trellis.api.problems import Problem
from trellis.web.context import current_store

Operation = TypeVar("Operation", bound=Callable[..., Response])
KEPT = timedelta(hours=24)
LONGEST_KEY = 255
TOLD = ("Content-Type", "ETag", "Location")


def expected_version() -> int | None:
    """The version that If-Match names; None for `*`. Raises Problem: 428 without the header, 400 for another tag."""
    given = request.headers.get("If-Match")
    if given is None:
        detail = _("Say which version you change: send “If-Match” with the record's ETag, or “If-Match: *”.")
        raise Problem(428, "precondition-required", detail)
    if given.strip() == "*":
        return None
    tag = given.strip().removeprefix("W/").strip('"')
    if not (tag.isascii() and tag.isdecimal() and len(tag) < 10):
        raise Problem(412, "stale", _("“If-Match” is none of this record's versions."))
    return int(tag)


def once(operation: Operation) -> Operation:
    """Do a write once for each Idempotency-Key: sent again, it is answered as it was the first time.

    The key is written in the transaction of the change: of two requests at the same time, the second waits for the
    first. What was refused has changed nothing and leaves no key.
    """

    @wraps(operation)
    def guarded(*args: Any, **kwargs: Any) -> Response:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return operation(*args, **kwargs)
        key = key.strip().strip('"')
        if not 0 < len(key) <= LONGEST_KEY:
            raise Problem(400, "bad-request", _("“Idempotency-Key” has 1 to %(max)d letters.", max=LONGEST_KEY))
        store = current_store()
        with store.transaction() as connection:
            known = _claim(connection, key)
            if known is not None:
                return known
            response = operation(*args, **kwargs)
            if response.status_code >= 400:  # nothing was changed: the key is free again
                connection.execute(sa.delete(_table()).where(*_mine(key)))
            else:
                _remember(connection, key, response)
            return response

    return guarded  # type: ignore[return-value]


def _claim(connection: sa.Connection, key: str) -> Response | None:
    """Take the key for this request, or give the answer of the one that had it. Raises Problem."""
    table = _table()
    connection.execute(sa.delete(table).where(table.c.created_at < sa.func.now() - KEPT))
    row = {"caller": str(current_caller().id), "key": key, "fingerprint": _fingerprint()}
    made = connection.execute(insert(table).values(row).on_conflict_do_nothing().returning(table.c.key)).first()
    if made is not None:
        return None
    found = connection.execute(sa.select(table).where(*_mine(key))).mappings().one()
    if found["fingerprint"] != row["fingerprint"]:
        detail = _("This “Idempotency-Key” was used for another request.")
        raise Problem(422, "idempotency-key", detail)
    return Response(found["body"], found["status"], {**found["headers"], "Idempotency-Replayed": "true"})


def _remember(connection: sa.Connection, key: str, response: Response) -> None:
    headers = {name: response.headers[name] for name in TOLD if name in response.headers}
    values = {"status": response.status_code, "headers": headers, "body": response.get_data()}
    connection.execute(sa.update(_table()).where(*_mine(key)).values(values))


def _table() -> sa.Table:
    return current_store().tenant.tables.platform.idempotency


def _mine(key: str) -> tuple[sa.ColumnElement[bool], ...]:
    table = _table()
    return table.c.caller == str(current_caller().id), table.c.key == key


def _fingerprint() -> str:
    parts = (request.method, request.full_path, request.headers.get("If-Match", ""))
    return sha256("\0".join(parts).encode() + request.get_data(cache=True)).hexdigest()
