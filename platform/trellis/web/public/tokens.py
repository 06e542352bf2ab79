"""What a public form carries: which page it was, when it was drawn, and where the visitor came from. Signed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from itsdangerous import BadSignature, URLSafeSerializer
from uuid_utils.compat import uuid4

from trellis.automation.clock import now
from trellis.web.context import current_tenant, serving

LASTS = 24 * 3600  # seconds from drawing a form to sending it in
QUICKEST = 2  # seconds that a person needs at least


@dataclass(frozen=True)
class Ticket:
    """One page of a form: it counts once, however often it is sent."""

    id: UUID
    at: float
    source: Mapping[str, str] = field(default_factory=dict)

    @property
    def age(self) -> float:
        """How many seconds ago it was drawn."""
        return now().timestamp() - self.at

    @property
    def is_over(self) -> bool:
        """It lay open for too long."""
        return self.age > LASTS

    @property
    def is_hasty(self) -> bool:
        """Nobody types as fast as that."""
        return self.age < QUICKEST


def new_ticket(source: Mapping[str, str]) -> Ticket:
    """The ticket of a page that is being drawn."""
    return Ticket(uuid4(), now().timestamp(), source)


def write_ticket(form: str, ticket: Ticket) -> str:
    """A ticket as it stands in the page."""
    said = _signer(form).dumps({"n": ticket.id.hex, "t": ticket.at, "s": dict(ticket.source)})
    return said if isinstance(said, str) else said.decode()


def read_ticket(form: str, text: Any) -> Ticket | None:
    """The ticket of a page of this form; None for one that we have not given."""
    if not isinstance(text, str) or len(text) > 8000:
        return None
    try:
        said = _signer(form).loads(text)
        return Ticket(UUID(said["n"]), float(said["t"]), dict(said["s"]))
    except (BadSignature, KeyError, TypeError, ValueError):
        return None


def _signer(form: str) -> URLSafeSerializer:
    return URLSafeSerializer(serving().settings.secret_for("forms", current_tenant().slug), salt=f"form:{form}")
