"""Everything that takes part in saves and in the queue for workflows: importing it is what registers it."""

from trellis.automation import mentions
from trellis.automation.workflows import advancing, before, listening, timing

__all__ = ["advancing", "before", "listening", "mentions", "timing"]
