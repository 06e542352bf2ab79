"""Checks of meaning for kinds that the Model does not hold yet: what they name exists, their formulas compile."""

from __future__ import annotations

from collections.abc import Callable

from trellis.model.compile.checks.others import (
    check_document,
    check_pool,
    check_scoring,
)
from trellis.model.compile.checks.slips import check_slips
from trellis.model.compile.context import Context
from trellis.model.compile.item import Item
from trellis.model.compile.types import Types

CHECKS: dict[str, Callable[[Context, Types, str, Item], None]] = {
    "document": check_document,
    "pool": check_pool,
    "scoring": check_scoring,
}


def check_others(ctx: Context, types: Types) -> None:
    """Check every document of these kinds, and everything for slips."""
    check_slips(ctx, types)
    for kind, check in CHECKS.items():
        for key, document in ctx.configuration.of(kind).items():
            check(ctx, types, key, Item(dict(document.data), document.place, "", document.name))
