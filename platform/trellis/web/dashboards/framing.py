"""Whether a page of another site lets itself be shown here: its answer says so, and is asked for once in a while."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from trellis.automation.outgoing import Answer, Limits, OutgoingFailed, send

KEPT = 600  # seconds that an answer holds
MOST = 200  # addresses that are remembered
LIMITS = Limits(connect=2, total=3, size=1024, redirects=5)
_answers: dict[str, tuple[float, Answer | None]] = {}


@dataclass(frozen=True)
class Framing:
    """What becomes of a frame. `leads_to`: the address it goes on to, on a site that the page does not name."""

    is_refused: bool = False
    leads_to: str = ""


def framing_of(url: str, origin: str) -> Framing:
    """What becomes of a frame with an address, in a page of `origin`. Whom we do not reach, the browser still may."""
    answer = _asked(url)
    if answer is None:
        return Framing()
    if urlsplit(answer.url).netloc.lower() != urlsplit(url).netloc.lower():
        return Framing(leads_to=answer.url)
    return Framing(is_refused=refuses(answer.headers, origin))


def refuses(headers: Mapping[str, str], origin: str) -> bool:
    """Whether an answer keeps itself out of the frames of an origin. `frame-ancestors` goes before the older header."""
    told = [
        directive.split()[1:]
        for policy in headers.get("content-security-policy", "").split(",")
        for directive in policy.split(";")
        if directive.split()[:1] and directive.split()[0].lower() == "frame-ancestors"
    ]
    if told:
        return not all(any(_covers(source.lower(), origin) for source in sources) for sources in told)
    older = headers.get("x-frame-options", "").lower().split(",")
    return any(word.strip() in ("deny", "sameorigin") for word in older)


def _covers(source: str, origin: str) -> bool:
    """Whether a source of a policy means an origin: `*`, `https:`, `https://*.example.com`, `crm.example.com:8443`."""
    here = urlsplit(origin)
    if source == "*" or source == f"{here.scheme}:":
        return True
    try:
        there = urlsplit(source if "//" in source else f"//{source}")
    except ValueError:  # the other site wrote what is no address
        return False
    name, _colon, port = there.netloc.partition(":")
    if not name or there.scheme not in ("", "http", here.scheme):
        return False
    ours = str(here.port or {"http": 80, "https": 443}[here.scheme])
    return fnmatchcase(here.hostname or "", name) and port in ("*", ours, "" if ours in ("80", "443") else ours)


def _asked(url: str) -> Answer | None:
    """What the address answers; None where it does not answer us."""
    now = time.monotonic()
    ends, answer = _answers.get(url, (0.0, None))
    if ends > now:
        return answer
    try:
        answer = send("GET", url, limits=LIMITS)
    except OutgoingFailed:
        answer = None
    if len(_answers) >= MOST:
        _answers.clear()
    _answers[url] = (now + KEPT, answer)
    return answer
