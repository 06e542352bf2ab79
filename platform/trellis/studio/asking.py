"""What the studio's pages ask about their request: the catalogue, the person, their draft."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import abort, g
from flask_babel import gettext as _

from trellis.studio.draft import Draft, read_draft
from trellis.web.context import current_person, current_tenant, serving
from trellis.web.errors import answer

if TYPE_CHECKING:
    from uuid import UUID

    from trellis.storage.catalogue import Catalogue


def the_catalogue() -> Catalogue:
    """The catalogue of this installation; an app that stands alone has no configuration to change."""
    catalogue = serving().catalogue
    if catalogue is None:
        abort(answer(404, message=_("This installation does not keep revisions.")))
    return catalogue


def me() -> UUID:
    """Who asks."""
    person = current_person()
    assert person is not None
    return person.id


def who() -> str:
    """Who asks, as a revision names them."""
    person = current_person()
    assert person is not None
    return f"{person.name} ({person.email})" if person.email else person.name


def my_draft() -> Draft:
    """The draft of who asks, read once for each request."""
    if "draft" not in g:
        g.draft = read_draft(the_catalogue(), current_tenant(), me())
    draft: Draft = g.draft
    return draft
