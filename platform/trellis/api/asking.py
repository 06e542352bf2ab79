"""What a request asks for: fields, filter, order, page, and the JSON it carries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import orjson
import sqlalchemy as sa
from flask import request
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from trellis.api.problems import Problem, bad_request
from trellis.api.representation import default_paths, field_at
from trellis.api.scope import PLACE, part_lists
from trellis.formula.formula import Formula
from trellis.formula.sql.scope import SqlScope
from trellis.model.entity import Entity
from trellis.model.view import Sort
from trellis.records.reading.pointing import Linked
from trellis.records.refusal import Fault, Refused
from trellis.records.store import Store
from trellis.web.filters.fields import Sight
from trellis.web.lists.desk import as_seen
from trellis.web.lists.saved import saved_views
from trellis.web.lists.state import ListState, read_state

MOST = 1000  # records of one page
USUAL = 50
MOST_FIELDS = 200
MOST_SORTS = 5
CAP = 10_000
JSON_TYPES = frozenset({"application/json", "application/merge-patch+json"})


@dataclass(frozen=True)
class ListRequest:
    """A page of a list, as it was asked for."""

    paths: list[str]
    lines: list[str]
    where: list[Formula | str]
    sort: tuple[Sort, ...]
    limit: int
    cursor: str | None
    q: str | None
    count: Literal["exact", "capped", "none"]
    deleted: bool | None  # None: records in the bin too, as a change feed tells them
    since: datetime | None


def read_list(store: Store, entity: Entity, *, paged: bool = True) -> ListRequest:
    """The query of a list, or of a stream that has no pages and fields of its own. Raises Problem or Refused."""
    view = _view(store, entity)
    since = read_moment("updated_since")
    sight = Sight(store)
    usual = tuple(path for path in view.paths if sight.path(entity, path)) if view is not None else None
    paths, lines = read_fields(store, entity, usual) if paged else ([], [])
    where = view.formulas(store.principal.reader) if view is not None else []
    if given := request.args.get("filter", "").strip():
        where.append(given)
    sort = read_sort(request.args)
    if since is not None:
        if sort:
            raise bad_request(_("A change feed has its own order: leave “sort” away."), "sort")
        where.append(_changed_since(since))
        sort = (Sort("updated_at"), Sort("id"))
    return ListRequest(
        paths=paths,
        lines=lines,
        where=where,
        sort=sort or (view.sorting if view is not None else ()),
        limit=limit_of(request.args) if paged else USUAL,
        cursor=request.args.get("cursor") or None,
        q=request.args.get("q") or (view.q if view is not None else None) or None,
        count=_count(),
        deleted=None if since is not None else _flag("deleted"),
        since=since,
    )


def read_fields(store: Store, entity: Entity, usual: tuple[str, ...] | None = None) -> tuple[list[str], list[str]]:
    """`fields=name,account.name,lines`: the paths, and the lists of parts. None given: all of the record's own."""
    given = [part.strip() for part in request.args.get("fields", "").split(",") if part.strip()]
    if not given:
        return list(usual) if usual else default_paths(store, entity), []
    if len(given) > MOST_FIELDS:
        raise bad_request(_("At most %(n)d fields at once.", n=MOST_FIELDS), "fields")
    parts = part_lists(store, entity)
    paths = [path for path in dict.fromkeys(given) if path not in parts and path not in ("id", "version")]
    check_open(store, entity, paths)
    return paths, [path for path in given if path in parts]


def check_open(store: Store, entity: Entity, paths: Iterable[str]) -> None:
    """Raises Refused for fields that the API does not show."""
    for path in paths:
        field = field_at(store, entity, path)
        if field is not None and (PLACE in field.hidden or field.type.is_write_only):
            raise Refused([Fault("unknown", "There is no field “{name}”.", path, {"name": path})])


def read_body(allowed: type = dict) -> Any:
    """The JSON that the request carries, an object unless another type is allowed. Raises Problem."""
    if request.mimetype not in JSON_TYPES:
        raise Problem(415, "media-type", _("Send JSON: “Content-Type: application/json”."))
    try:
        body = orjson.loads(request.get_data())
    except orjson.JSONDecodeError as error:
        detail = _(
            "This is not JSON: look at line %(line)s, character %(column)s.", line=error.lineno, column=error.colno
        )
        raise Problem(400, "json", detail, line=error.lineno, column=error.colno) from error
    if not isinstance(body, allowed):
        raise bad_request(_("Expected a JSON object."))
    return body


def take(body: Mapping[str, Any], name: str, kind: type | tuple[type, ...], default: Any = None) -> Any:
    """A member of the body of the right kind. Raises Problem."""
    value = body.get(name, default)
    if value is not default and not isinstance(value, kind):
        raise bad_request(_("“%(name)s” has the wrong type.", name=name), name)
    return value


def _view(store: Store, entity: Entity) -> ListState | None:
    """The list that `view` names: one of the entity's, or one that the person has saved (`my-…`). Raises Problem."""
    key = request.args.get("view")
    if not key:
        return None
    saved, roles = saved_views(store, entity.key), store.principal.roles
    state = read_state(store.tenant.model, entity, MultiDict({"view": key}), saved, roles)
    if state.key != key:
        raise bad_request(_("There is no view “%(name)s”.", name=key), "view")
    return as_seen(store, state)


def read_sort(args: Mapping[str, str]) -> tuple[Sort, ...]:
    """`sort=stage,-amount`."""
    parts = [part.strip() for part in args.get("sort", "").split(",") if part.strip()]
    return tuple(Sort(part.lstrip("-"), descending=part.startswith("-")) for part in parts[:MOST_SORTS])


def limit_of(args: Mapping[str, str]) -> int:
    """How many records a page has. Raises Problem."""
    found = whole_number(args, "limit")
    if found is not None and not 1 <= found <= MOST:
        raise bad_request(_("“limit” is a number from 1 to %(max)d.", max=MOST), "limit")
    return USUAL if found is None else found


def whole_number(args: Mapping[str, str], name: str) -> int | None:
    """A number of the query; None when it is not given. Raises Problem."""
    given = args.get(name)
    if given is None:
        return None
    if not (given.isascii() and given.isdecimal() and len(given) < 19):
        raise bad_request(_("“%(name)s” is a number.", name=name), name)
    return int(given)


def _count() -> Literal["exact", "capped", "none"]:
    given = request.args.get("count", "none")
    if given in ("exact", "capped", "none"):
        return given  # type: ignore[return-value]
    raise bad_request(_("“count” is exact, capped or none."), "count")


def _flag(name: str) -> bool:
    given = request.args.get(name, "false")
    if given in ("true", "false"):
        return given == "true"
    raise bad_request(_("“%(name)s” is true or false.", name=name), name)


def read_moment(name: str) -> datetime | None:
    """A moment of the query; None when it is not given. Raises Problem."""
    given = request.args.get(name)
    if not given:
        return None
    try:
        found = datetime.fromisoformat(given.replace(" ", "+"))  # a + that was not written as %2B
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise bad_request(_("“%(name)s” is a moment like 2026-03-02T09:00:00Z.", name=name), name) from error


def _changed_since(since: datetime) -> Formula:
    def condition(scope: SqlScope) -> sa.ColumnElement[bool]:
        changed: sa.ColumnElement[bool] = scope.alias.c.updated_at >= since
        return changed

    return Linked(condition)
