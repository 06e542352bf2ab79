"""The floor: psycopg and a bare WSGI function, with nothing of what a product needs. For orientation only."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape
from typing import Any

import psycopg

LIST = """
SELECT c.id, c.version, c.name->>'first', c.name->>'last', c.email, c.phone, c.mobile, c.job_title,
       c.account, a.name, c.owner, u.name
FROM contact c LEFT JOIN account a ON a.id = c.account LEFT JOIN "user" u ON u.id = c.owner
WHERE c.deleted_at IS NULL AND c.buying_role = 'decision' ORDER BY c.created_at DESC, c.id DESC LIMIT 51
"""
RECORD = """
SELECT c.*, a.name, u.name FROM contact c LEFT JOIN account a ON a.id = c.account LEFT JOIN "user" u ON u.id = c.owner
WHERE c.id = %s AND c.deleted_at IS NULL
"""


def floor_app(connection: psycopg.Connection[Any]) -> Callable[..., Iterable[bytes]]:
    """A list page of 50 in a few lines."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        rows = connection.execute(LIST).fetchall()
        cells = "".join(f"<tr>{''.join(f'<td>{escape(str(value))}</td>' for value in row)}</tr>" for row in rows[:50])
        body = f"<!doctype html><title>Contacts</title><table>{cells}</table>".encode()
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(body)))])
        return [body]

    return app
