"""API keys: one's own, and for administrators everybody's; a secret is shown once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import Response, abort, redirect, request, url_for
from flask_appbuilder import expose
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from trellis.identity.api_keys import ApiKey, create_key, list_keys, revoke_key, rotate_key
from trellis.identity.person import PERSON, Person
from trellis.records.refusal import Refused
from trellis.web.context import current_person, current_tenant, may
from trellis.web.faults import fault_texts
from trellis.web.flashes import toast
from trellis.web.guard import needs
from trellis.web.pages.base import Page

ACCESS: dict[str, tuple[LazyString, tuple[str, ...] | None]] = {
    "read": (_l("Read everything that I may read"), ("*:read",)),
    "all": (_l("Everything that I may do"), None),
    "scopes": (_l("These scopes"), ()),
}
LASTS = {
    "30": _l("30 days"),
    "90": _l("90 days"),
    "365": _l("A year"),
    "": _l("Until it is revoked"),
}
SEVERAL = re.compile(r"[\s,;]+")


class KeysView(Page):
    """`/settings/keys`."""

    @expose("/settings/keys", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    @needs("api")
    def keys(self) -> Response:
        """The keys, and making one."""
        if request.method == "GET":
            return self._page()
        form, person = request.form, _me()
        access = form.get("access", "read")
        scopes = ACCESS[access][1] if access in ACCESS else ()
        if access == "scopes":
            scopes = tuple(_words(form.get("scopes", "")))
        days = form.get("lasts", "90")
        try:
            if scopes == ():
                return self._page({"scopes": _("Name at least one scope.")})
            key, secret = create_key(
                current_tenant(),
                person.id,
                form.get("name", ""),
                scopes=scopes,
                addresses=_words(form.get("addresses", "")) or None,
                expires_at=datetime.now(UTC) + timedelta(days=int(days)) if days in LASTS and days else None,
                by=person.id,
            )
        except Refused as refused:
            return self._page(fault_texts(refused))
        return self._page(made=key, secret=secret)

    @expose("/settings/keys/<uuid:id>/rotate", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("api")
    def rotate(self, id: UUID) -> Response:
        """Another secret for one's own key: whoever has it acts as oneself."""
        key = _key(id, of_anybody=False)
        return self._page(made=key, secret=rotate_key(current_tenant(), key.id))

    @expose("/settings/keys/<uuid:id>/revoke", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("api")
    def revoke(self, id: UUID) -> Any:
        """End a key: one's own; an administrator, anybody's."""
        revoke_key(current_tenant(), _key(id, of_anybody=may("admin")).id)
        toast(_("The key is revoked."))
        return redirect(url_for("KeysView.keys"))

    def _page(
        self, errors: dict[str, str] | None = None, *, made: ApiKey | None = None, secret: str | None = None
    ) -> Response:
        keys = list_keys(current_tenant(), None if may("admin") else _me().id)
        return self.draw(
            "keys.html",
            status=422 if errors else 200,
            errors=errors or {},
            form=request.form if errors else {},
            keys=keys,
            names=_names(keys),
            me=_me().id,
            now=datetime.now(UTC),
            made=made,
            secret=secret,
            access=ACCESS,
            lasts=LASTS,
        )


def _me() -> Person:
    person = current_person()
    assert person is not None
    return person


def _key(id: UUID, *, of_anybody: bool) -> ApiKey:
    """A key of one's own, or of anybody; 404 for another one."""
    keys = list_keys(current_tenant(), None if of_anybody else _me().id)
    return next((key for key in keys if key.id == id), None) or abort(404)


def _words(text: str) -> list[str]:
    return [word for word in SEVERAL.split(text) if word]


def _names(keys: Sequence[ApiKey]) -> dict[UUID, str]:
    """Whom the keys act as."""
    user = current_tenant().tables.entity[PERSON]
    named = sa.select(user.c.id, user.c.name).where(user.c.id.in_({key.user for key in keys}))
    with current_tenant().begin() as connection:
        return {row.id: row.name or "" for row in connection.execute(named)}
