"""A worker of its own that does workflows: `python -m tests.automation.workflows.working <database address>`."""

from __future__ import annotations

from tests.automation.counting import main

import trellis.automation.workflows.engine  # noqa: F401 (what it works on)

if __name__ == "__main__":
    main()
