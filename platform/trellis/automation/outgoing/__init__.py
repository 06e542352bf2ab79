"""The one way out: every HTTP request that a tenant can have sent goes through here, and never to the inside."""

from trellis.automation.outgoing.refusal import OutgoingFailed, OutgoingRefused
from trellis.automation.outgoing.request import Answer, Limits, check_address, send

__all__ = ["Answer", "Limits", "OutgoingFailed", "OutgoingRefused", "check_address", "send"]
