"""What the timeline says of letters: who has written one, whether it was opened, and its links followed."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import parseaddr
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from markupsafe import Markup

from trellis.web.cells.markup import badge

if TYPE_CHECKING:
    from trellis.automation.mail.tracing import Seen
    from trellis.records.record import Record


def written_by(record: Record) -> str:
    """Who has written a message that came in: the name, else the address or number; "" for one of ours."""
    if record.get("direction") != "in":
        return ""
    name, address = parseaddr(str(record.get("sender") or ""))
    return name or address or str(record.get("number") or "")


def read_badges(seen: Seen) -> Iterator[Markup]:
    """How often people have opened it and followed its links; that only machines have, where no person did."""
    if seen.opens:
        said = _("Opened") if seen.opens == 1 else _("Opened %(count)s times", count=seen.opens)
        yield Markup(badge(said, "green"))
    if seen.clicks:
        said = _("Link followed") if seen.clicks == 1 else _("Links followed %(count)s times", count=seen.clicks)
        yield Markup(badge(said, "teal"))
    if seen.machines and not seen.opens:
        yield Markup(badge(_("Looked at by a machine"), "gray"))
