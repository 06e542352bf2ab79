"""The outcome file of an import: one line for each row of the file."""

from __future__ import annotations

import csv
from typing import TextIO

from trellis.records.transfer.importer import RowOutcome
from trellis.records.transfer.neutral import guard

HEADER = ("row", "outcome", "id", "message")


class OutcomeFile:
    """Writes outcomes as they come: the line in the imported file, what became of it, the record, and why it failed."""

    def __init__(self, file: TextIO) -> None:
        self._writer = csv.writer(file, lineterminator="\r\n")
        self._writer.writerow(HEADER)

    def write(self, outcome: RowOutcome) -> None:
        """Add one row's outcome."""
        self._writer.writerow((outcome.line, outcome.status, outcome.id or "", guard(outcome.message)))
