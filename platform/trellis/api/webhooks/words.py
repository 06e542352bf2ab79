"""What webhooks' events, states and failures are called on the pages."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

EVENT_WORDS = {
    "created": _l("created"),
    "updated": _l("changed"),
    "moved": _l("moved to another stage"),
    "deleted": _l("deleted"),
    "restored": _l("restored"),
    "linked": _l("linked"),
    "unlinked": _l("unlinked"),
    "converted": _l("converted"),
    "merged": _l("merged"),
}
# of webhooks and of messages: the word and the badge's colour
STATE_WORDS = {
    "active": (_l("active"), "green"),
    "paused": (_l("paused"), "orange"),
    "disabled": (_l("switched off"), "red"),
    "waiting": (_l("waiting"), "blue"),
    "delivered": (_l("delivered"), "green"),
    "failed": (_l("failed"), "red"),
}
REASONS = {
    "by_hand": _l("Somebody paused it. What happens meanwhile is not told."),
    "failing": _l(
        "Nothing has arrived there for two days. Mend the receiver, then start it again: what waits is sent."
    ),
    "gone": _l("The receiver answered 410: it wants to be told no more."),
    "owner": _l("The person in whose name it is told may not sign in or use the API any more. Choose another one."),
    "restored": _l("This company was restored from a backup. Start it again if this copy is to tell others."),
}
ERRORS = {
    "timeout": _l("No answer in time"),
    "connection": _l("Nobody answers at this address"),
    "tls": _l("The certificate is not good for this name"),
    "dns": _l("There is no machine of this name"),
    "protocol": _l("The connection was broken off, or the answer is no HTTP"),
    "size": _l("The answer was too long"),
    "address": _l("The address leads into the network that Trellis runs in"),
    "url": _l("This is no address"),
    "secret": _l("The secret was sealed with another key: give the webhook a new one"),
}
