"""The audit log: what matters for security and law, in a chain in which no entry can be changed or left out unseen.

`note` writes an entry in the transaction of what it tells about. The database seals it when that transaction commits:
`chain.py` says how, `verify.py` finds what was tampered with, `anchors.py` keeps the chain's head elsewhere.
"""

from __future__ import annotations

from trellis.storage.audit.entry import GROUPS, KINDS, Actor, acting, actor, note

__all__ = ["GROUPS", "KINDS", "Actor", "acting", "actor", "note"]
