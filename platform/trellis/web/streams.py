"""Pages that listen: a stream of server-sent events each, which must not take the threads that answer requests.

Whoever serves says how many streams there may be, and brings as many threads more; with none, pages ask now and then.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import TYPE_CHECKING
from uuid import UUID

from werkzeug.wsgi import ClosingIterator

from trellis.automation.live import Hub

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HEARTBEAT = 15.0  # seconds between signs of life, by which one notices that the other side has gone
LONGEST = 600.0  # seconds; then the browser asks anew, with the session that it has then
PATH = "/notices/stream"


class Places:
    """How many streams may be open at once in this process."""

    def __init__(self, most: int = 0) -> None:
        self.most = most
        self._taken = 0
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Take a place; False when there is none."""
        with self._lock:
            if self._taken >= self.most:
                return False
            self._taken += 1
            return True

    def give_back(self) -> None:
        """Leave a place to others."""
        with self._lock:
            self._taken -= 1


places = Places()


def events(hub: Hub, slug: str, user: UUID, still_there: Callable[[], bool]) -> Iterator[bytes]:
    """What one page hears: `notices` when something is new, and a comment as a sign of life."""
    end = time.monotonic() + LONGEST
    with hub.listening(slug, user) as wakes:
        yield b"retry: 5000\nevent: notices\ndata: {}\n\n"  # what came while nobody listened
        while time.monotonic() < end and not hub.is_closed:
            woken = wakes.wait(HEARTBEAT)
            wakes.clear()
            if hub.is_closed or not still_there():
                return
            yield b"event: notices\ndata: {}\n\n" if woken else b": still here\n\n"


class Bounded:
    """The app, answering so many requests at once; streams wait beside them."""

    def __init__(self, app: WSGIApplication, at_once: int) -> None:
        self.app = app
        self._free = threading.BoundedSemaphore(at_once)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO", "").endswith(PATH):
            return self.app(environ, start_response)
        self._free.acquire()
        try:
            answer = self.app(environ, start_response)
        except BaseException:
            self._free.release()
            raise
        return ClosingIterator(answer, self._free.release)


class Stream:
    """A stream that gives its place back, however it ends: also when nobody has read any of it."""

    def __init__(self, made: Iterator[bytes]) -> None:
        self._made = made
        self._open = True

    def __iter__(self) -> Iterator[bytes]:
        return self._made

    def close(self) -> None:
        """Called by the server at the end."""
        if self._open:
            self._open = False
            places.give_back()
            if isinstance(self._made, Generator):
                self._made.close()
