"""Everything of service levels that takes part in saves and in the queue: importing it is what registers it."""

from trellis.automation.service_levels import keeping, settling, striking

__all__ = ["keeping", "settling", "striking"]
