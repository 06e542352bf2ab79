"""What the timeline says of what pools do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import gettext as _

if TYPE_CHECKING:
    from trellis.records.store import Store


def pool_words(store: Store, key: str, act: str, reason: str, language: str) -> tuple[str, str] | None:
    """What the timeline says of a change that a pool has made."""
    pool = store.tenant.model.pools.get(key)
    name = pool.label.in_language(language) if pool is not None else key
    rule = pool.rule(reason) if pool is not None else None
    words = {
        "claimed": ("hand-grab", _("claimed this from the pool %(pool)s", pool=name)),
        "assigned": ("user-share", _("gave this out of the pool %(pool)s", pool=name)),
        "distributed": ("user-share", _("gave this out of the pool %(pool)s", pool=name)),
        "returned": ("pool", _("put this back into the pool %(pool)s", pool=name)),
        "released": ("pool", _("took this back into the pool %(pool)s", pool=name)),
        "locked": ("lock", _("locked this")),
        "unlocked": ("lock-open", _("unlocked this")),
    }
    if act not in words:
        return None
    icon, said = words[act]
    why = rule.label.in_language(language) if rule is not None and rule.key != "release" else ""
    if act == "released" and not why:
        why = str(_("nobody looked after it"))
    why = reason if act in ("returned", "distributed") else why
    return icon, str(_("%(words)s: %(more)s", words=said, more=why) if why else said)
