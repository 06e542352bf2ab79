"""What of persons a report has shown goes into the log of who has read it."""

from __future__ import annotations

from trellis.records.privacy.access import How, Reading
from trellis.reports.result import Answer
from trellis.web.auditing import gave_out


def tell_of_records(answer: Answer, how: How) -> None:
    """Note that a report gave out records: wherever its lines are some, and not only numbers about them."""
    count = sum(line.record is not None for line in answer.lines)
    if count:
        gave_out(Reading(how, answer.report.entity, None, count, f"report={answer.report.key}"))
