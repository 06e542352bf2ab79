"""Texts that the page's own scripts show. One block of data in the layout carries them, translated."""

from __future__ import annotations

from flask_babel import gettext as _


def script_texts() -> dict[str, str]:
    """The texts by key, in the reader's language; {placeholders} are filled in by the script."""
    return {
        "undo": _("Undo"),
        "dismiss": _("Dismiss"),
        "yes": _("Yes"),
        "copied": _("Copied"),
        "offline": _("You are offline. What you have typed is still here."),
        "slow": _("The server takes unusually long to answer."),
        "forbidden": _("You are not allowed to do that."),
        "missing": _("That does not exist any more."),
        "too-large": _("That is too large to send."),
        "too-many": _("Too many attempts. Please wait a minute."),
        "broken": _("Something went wrong. Nothing was changed. ({id})"),
        "loading": _("Loading…"),
        "nothing": _("Nothing found"),
        "unsaved": _("Leave without saving?\nWhat you have typed is lost."),
        "leave": _("Leave"),
        "create": _("Create “{name}”"),
        "remove": _("Remove"),
        "search": _("Search"),
        "more": _("More"),
        "saved": _("Saved"),
        "locked": _("This is computed, or not for you to change."),
        "unfit": _("“{title}” does not fit any more and was taken out."),
        "selected": _("{count} selected"),
        "delete": _("Delete"),
        "merge-some": _("Choose between 2 and {most} records to merge."),
        "palette": _("Search and commands"),
        "palette-field": _("Search records, pages and actions"),
        "results": _("Results"),
        "choose": _("Move"),
        "open": _("Open"),
        "all-keys": _("All keys"),
        "needed": _("This field is required."),
        "no-email": _("Write an e-mail address."),
    }
