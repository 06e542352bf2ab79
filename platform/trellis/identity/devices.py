"""What a browser calls itself, in two words for people: Firefox, Windows.

A glance, not a proof: the libraries for this know thousands of patterns and take half a second to load them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# the first that is found counts: Edge and Opera call themselves Chrome as well, and Chrome calls itself Safari
BROWSERS = (
    ("Edge", r"\bEdg(?:e|A|iOS)?/"),
    ("Opera", r"\b(?:OPR|Opera)/"),
    ("Samsung Internet", r"\bSamsungBrowser/"),
    ("WeChat", r"\bMicroMessenger/"),
    ("Firefox", r"\b(?:Firefox|FxiOS)/"),
    ("Chrome", r"\b(?:Chrome|Chromium|CriOS|HeadlessChrome)/"),
    ("Safari", r"\bSafari/"),
)
SYSTEMS = (
    ("Android", r"\bAndroid\b"),
    ("iPhone", r"\biPhone\b"),
    ("iPad", r"\biPad\b"),
    ("Windows", r"\bWindows\b"),
    ("ChromeOS", r"\bCrOS\b"),
    ("macOS", r"\bMac OS X\b|\bMacintosh\b"),
    ("Linux", r"\bLinux\b|\bX11\b"),
)
HAND_HELD = frozenset({"Android", "iPhone", "iPad"})


@dataclass(frozen=True)
class Device:
    """A browser on a system; what is not known is empty."""

    browser: str
    system: str

    @property
    def is_hand_held(self) -> bool:
        """Whether it is a phone or a tablet."""
        return self.system in HAND_HELD

    @property
    def is_known(self) -> bool:
        """Whether there is anything to say."""
        return bool(self.browser or self.system)


def device_of(agent: str) -> Device:
    """The device that a User-Agent header speaks of."""
    return Device(_first(BROWSERS, agent), _first(SYSTEMS, agent))


def _first(known: tuple[tuple[str, str], ...], agent: str) -> str:
    return next((name for name, pattern in known if re.search(pattern, agent)), "")
