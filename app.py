"""`app` is the WSGI app for gunicorn and the like; `python app.py` does what `trellis run` does."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "platform"))

from trellis.cli.lazy import LazyApp  # noqa: E402 - the package lies in platform/

app = LazyApp(None if os.environ.get("TRELLIS_ROOT") else ROOT)

if __name__ == "__main__":
    from trellis.cli import main

    main(["run", *sys.argv[1:]], prog_name="app.py")
