"""What each kind of step does: one function for each, in a registry."""

from trellis.automation.workflows.steps import (
    approving,
    assigning,
    calling,
    control,
    messaging,
    papers,
    records,
    requesting,
    sending,
    telling,
    waiting,
)
from trellis.automation.workflows.steps.registry import DOES, Done, Outcome, Push, Stopped, Suspended, does

__all__ = [
    "DOES",
    "Done",
    "Outcome",
    "Push",
    "Stopped",
    "Suspended",
    "approving",
    "assigning",
    "calling",
    "control",
    "does",
    "messaging",
    "papers",
    "records",
    "requesting",
    "sending",
    "telling",
    "waiting",
]
