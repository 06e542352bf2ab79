"""How old things are: a column for each bucket of days."""

from __future__ import annotations

from trellis.reports.kinds.pivot import Pivot
from trellis.reports.registry import report_kind


@report_kind("ageing")
class Ageing(Pivot):
    """A pivot whose columns are ranges of age."""
