"""A change of a record in a few words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

if TYPE_CHECKING:
    from trellis.model.entity import Entity
    from trellis.records.record import Change

KINDS = {
    "create": _l("created this"),
    "delete": _l("moved this to the bin"),
    "restore": _l("restored this"),
    "link": _l("linked a record"),
    "unlink": _l("unlinked a record"),
}


def change_words(change: Change, entity: Entity, language: str) -> str:
    """What somebody did: created this, changed Amount and 2 more."""
    if change.kind in KINDS:
        return str(KINDS[change.kind])
    names = [
        entity.fields[c.field].label.in_language(language) if c.field in entity.fields else c.field
        for c in change.changes
    ]
    if not names:
        return str(_("changed this"))
    if len(names) == 1:
        return str(_("changed %(field)s", field=names[0]))
    return str(
        ngettext(
            "changed %(field)s and %(num)d more", "changed %(field)s and %(num)d more", len(names) - 1, field=names[0]
        )
    )
