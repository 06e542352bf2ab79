"""The registry of who is told of events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from trellis.automation.events.happening import Happening
    from trellis.storage.tenant import Tenant

# called with the transaction that takes the events away, and with events in the order in which they came
Listener = Callable[["Connection", "Tenant", "Sequence[Happening]"], None]
LISTENERS: dict[str, Listener] = {}


def listener(name: str) -> Callable[[Listener], Listener]:
    """Register who is told. It works in the given transaction only, and puts what takes time into the queue."""

    def register(tell: Listener) -> Listener:
        LISTENERS[name] = tell
        return tell

    return register
