"""Why a request was not sent, or had no answer: a code that pages put into words."""

from __future__ import annotations


class OutgoingFailed(Exception):
    """There was no answer. `code`: timeout, connection, tls, dns, size, protocol."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class OutgoingRefused(OutgoingFailed):
    """It was not sent at all. `code`: address (leads to the inside), url (is none that is allowed)."""
