"""What time it is to automation: the one clock, which scenario tests move."""

from __future__ import annotations

from trellis.formula.clock import moved, now, stopped_at

__all__ = ["moved", "now", "stopped_at"]
