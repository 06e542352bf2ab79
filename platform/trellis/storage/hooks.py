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

# called in the transaction that has loaded a tenant's rows from a backup, as `after_apply` is: the copy tells others
# nothing by itself, and what was waiting to be told stays untold
after_restore: list[Callable[[Connection, Tenant], None]] = []

AfterPublish = Callable[["Tenant", "Tenant"], None]

# called after the commit with the tenant as it is and as it was, for what may take long and holds nobody up:
# computing new roll-ups, filling the search of old records. They may be killed and are called again then, also with
# an older tenant that has no entities: so they must be able to do their work twice. storage/followups.py
after_publish: list[AfterPublish] = []
