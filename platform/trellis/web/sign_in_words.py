"""How the pages say what happened at the door."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from trellis.identity.devices import device_of
from trellis.web.context import current_tenant
from trellis.web.i18n import say


@dataclass(frozen=True)
class Word:
    """A kind of event as the history shows it."""

    label: Any
    icon: str
    color: str


EVENTS = {
    "in": Word(_l("Signed in"), "login-2", "green"),
    "refused": Word(_l("Refused: wrong password, or no way in"), "x", "red"),
    "code-refused": Word(_l("Refused: wrong code"), "x", "red"),
    "locked": Word(_l("Refused: too many attempts"), "lock", "orange"),
    "unlocked": Word(_l("Unlocked"), "lock-open", "blue"),
    "out": Word(_l("Signed out"), "logout", "gray"),
    "ended": Word(_l("Signed out from elsewhere"), "logout", "gray"),
    "password": Word(_l("Password set"), "key", "blue"),
    "factor-on": Word(_l("Second factor turned on"), "shield-check", "blue"),
    "factor-off": Word(_l("Second factor turned off"), "shield-off", "orange"),
    "codes": Word(_l("New recovery codes"), "refresh", "blue"),
    "code-used": Word(_l("Recovery code used"), "lifebuoy", "orange"),
    "linked": Word(_l("Account at another place linked"), "link", "blue"),
    "unlinked": Word(_l("Account at another place unlinked"), "unlink", "gray"),
    "invited": Word(_l("Invited"), "mail", "gray"),
    "registered": Word(_l("Registered by signing in"), "user-plus", "blue"),
    "link": Word(_l("Link for a new password"), "link", "gray"),
}


def event_words(event: str) -> Word:
    """An event for people."""
    return EVENTS.get(event) or Word(event, "point", "gray")


def means_words(means: str) -> str:
    """By what means somebody came."""
    known = {
        "password": _("with a password"),
        "link": _("by a link"),
        "page": _("in the profile"),
        "admin": _("by an administrator"),
        "mail": _("by mail"),
        "invitation": _("by an invitation"),
        "cli": _("at the command line"),
    }
    if means in known:
        return str(known[means])
    source = current_tenant().profile.sign_in.source(means)
    label = say(source.label) if source is not None else means.partition(":")[2] or means
    return str(_("with %(name)s", name=label))


def device_words(agent: str) -> str:
    """A browser for people: Firefox on Windows."""
    device = device_of(agent)
    if device.browser and device.system:
        return str(_("%(browser)s on %(system)s", browser=device.browser, system=device.system))
    return device.browser or device.system or str(_("Unknown device"))


def door_words() -> dict[str, Any]:
    """What the templates of sessions and of the history say things with."""
    return {
        "event_words": event_words,
        "means_words": means_words,
        "device_words": device_words,
        "device_of": device_of,
    }
