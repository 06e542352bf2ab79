"""Everything of scoring that takes part in saves and in the queue: importing it is what registers it."""

from trellis.automation.scoring import keeping, striking

__all__ = ["keeping", "striking"]
