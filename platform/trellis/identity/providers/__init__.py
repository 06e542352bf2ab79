"""Other places that people sign in at: Flask-AppBuilder's clients for them, set up by `sign_in:` of tenant.yaml."""

from __future__ import annotations


class NotSetUp(Exception):
    """A way to sign in that is named in the YAML and cannot be used here; the text says what is missing."""


class NoAnswer(Exception):
    """The place did not answer, or not in a way that makes sense."""


class Denied(Exception):
    """The place has refused, or what came back does not belong to what was begun."""


class Lost(Denied):
    """What came back was not begun in this browser, or too long ago."""
