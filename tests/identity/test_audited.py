"""Whatever happens at the door has a kind in the audit log."""

from __future__ import annotations

from typing import get_args

from trellis.identity.audited import KINDS
from trellis.identity.sign_in_log import Event
from trellis.storage.audit import KINDS as KNOWN


def test_every_event_of_the_door_is_told() -> None:
    assert set(KINDS) == set(get_args(Event))
    assert set(KINDS.values()) <= KNOWN
