"""What happened to records, told to whoever listens, after the commit: webhooks, workflows."""

from trellis.automation.events.happening import Happening, read_changes
from trellis.automation.events.listeners import LISTENERS, Listener, listener

__all__ = ["LISTENERS", "Happening", "Listener", "listener", "read_changes"]
