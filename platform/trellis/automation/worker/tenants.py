"""The tenants that a worker works for, found by their role; as current as the catalogue."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

from trellis.storage.upgrade import up_to_date

if TYPE_CHECKING:
    from trellis.storage.catalogue import Catalogue, Entry
    from trellis.storage.tenant import Tenant

KEPT = 200  # tenants with their Model in memory
FRESH = 5.0  # seconds that the list of tenants is believed without a word from the database


class Tenants:
    """Safe to share between threads."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._entries: dict[str, Entry] = {}
        self._read_at = -FRESH
        self._kept: OrderedDict[str, Tenant] = OrderedDict()
        self._guard = threading.Lock()

    def refresh(self) -> None:
        """Read the list anew at the next question: something has changed."""
        with self._guard:
            self._read_at = -FRESH

    def entries(self) -> dict[str, Entry]:
        """Every tenant by its role."""
        with self._guard:
            if time.monotonic() - self._read_at >= FRESH:
                self._entries = {entry.role: entry for entry in self.catalogue.list()}
                self._read_at = time.monotonic()
            return self._entries

    def closed(self) -> list[str]:
        """The roles of the tenants whose jobs have to wait."""
        return [role for role, entry in self.entries().items() if entry.status != "active"]

    def known_closed(self) -> list[str]:
        """The same as it was known last, without asking the database."""
        with self._guard:
            return [role for role, entry in self._entries.items() if entry.status != "active"]

    def get(self, role: str) -> Tenant | None:
        """The tenant of a role at its current revision; None when there is none that is open."""
        entry = self.entries().get(role)
        if entry is None:
            self.refresh()  # made a moment ago
            entry = self.entries().get(role)
        if entry is None or entry.status != "active":
            return None
        with self._guard:
            kept = self._kept.get(role)
            if kept is not None and kept.revision == entry.revision:
                self._kept.move_to_end(role)
                return kept
        tenant = up_to_date(self.catalogue, entry.slug)
        with self._guard:
            self._kept[role] = tenant
            self._kept.move_to_end(role)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return tenant

    def forget(self, role: str) -> None:
        """Read a tenant anew: it is at a later revision than was known."""
        with self._guard:
            self._kept.pop(role, None)
            self._read_at = -FRESH
