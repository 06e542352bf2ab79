"""What a change is told as: an icon, and what somebody did."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from babel.dates import format_date
from flask_babel import gettext as _

from trellis.model.locales import babel_locale
from trellis.records.record import Change
from trellis.web.pool_words import pool_words
from trellis.web.service_levels import struck_verb

if TYPE_CHECKING:
    from trellis.records.store import Store

Verb = tuple[str, str]


def verb_of(store: Store, change: Change) -> Verb:
    """The icon and the words for a change."""
    return (
        pool_verb(store, change)
        or _merge_verb(change)
        or _share_verb(store, change)
        or struck_verb(store.tenant.model, change, store.principal.reader.language)
        or _plain_verb(change.kind)
    )


def _merge_verb(change: Change) -> Verb | None:
    """What a merge or its undoing is told as, with the titles that this person may know."""
    texts = {
        "merge": lambda names: _("merged %(titles)s into this", titles=names),
        "unmerge": lambda names: _("undid the merge with %(titles)s", titles=names),
        "merged": lambda names: _("merged this into %(titles)s", titles=names),
        "unmerged": lambda names: _("took this out of %(titles)s again", titles=names),
    }
    if change.kind not in texts:
        return None
    refs = next((c.new or c.old for c in change.changes if c.field in ("merged", "merged_into")), None) or ()
    names = ", ".join(f"“{ref.title}”" if ref.title else _("a record that you may not see") for ref in refs)
    return ("arrows-join" if change.kind.startswith("merge") else "arrows-split"), texts[change.kind](names)


def pool_verb(store: Store, change: Change) -> Verb | None:
    """What a claim, a return or a lock is told as."""
    cause = change.cause
    if not isinstance(cause, Mapping) or "pool" not in cause:
        return None
    act, reason = str(cause.get("act", "")), str(cause.get("reason", ""))
    return pool_words(store, str(cause["pool"]), act, reason, store.principal.reader.language)


def _share_verb(store: Store, change: Change) -> Verb | None:
    """What a share or its end is told as."""
    if change.kind not in ("share", "unshare"):
        return None
    told = next((c.new or c.old for c in change.changes if c.field == "shared"), None)
    if not isinstance(told, Mapping):
        return None
    whom = told.get("whom") or {}
    name = whom.get("title") or _("somebody")
    if change.kind == "unshare":
        return "user-minus", str(_("ended the share with %(name)s", name=name))
    until = told.get("until")
    what = _("for changing") if told.get("level") == "write" else _("for reading")
    if not until:
        return "users-plus", str(_("shared this with %(name)s %(what)s", name=name, what=what))
    day = format_date(date.fromisoformat(str(until)), "medium", locale=babel_locale(store.principal.reader.language))
    return "users-plus", str(_("shared this with %(name)s %(what)s, until %(day)s", name=name, what=what, day=day))


def _plain_verb(kind: str) -> Verb:
    words = {
        "create": ("plus", _("created this")),
        "delete": ("trash", _("moved this to the recycle bin")),
        "restore": ("restore", _("restored this")),
        "convert": ("arrows-split-2", _("converted this")),
        "purge": ("trash-x", _("deleted this for good")),
        "erase": ("eraser", _("erased the personal data")),
        "link": ("link", _("linked")),
        "unlink": ("unlink", _("unlinked")),
    }
    return words.get(kind, ("arrows-exchange", _("changed")))
