"""What other parts do whenever a tenant is made or changed, in the same transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from trellis.storage.tenant import Tenant

AfterApply = Callable[["Connection", "Tenant", "Tenant | None"], None]

# called with the open transaction (the platform's own login, search_path is the tenant's), the tenant as it will be,
# and as it was (None: it is being made). What they raise undoes the whole apply.
after_apply: list[AfterApply] = []
