"""The fonts of papers: Noto Sans SC, which comes with the pages' assets, and what the machine has beside it."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

FONTS = Path(__file__).parents[2] / "web" / "static" / "dist" / "fonts"
_MACHINE = ("/usr/share/fonts", "/usr/local/share/fonts", "/Library/Fonts", "/System/Library/Fonts")
_CONFIGURATION = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
{folders}
<cachedir>{cache}</cachedir>
<alias binding="strong"><family>sans-serif</family><prefer><family>Noto Sans SC</family></prefer></alias>
</fontconfig>
"""


@cache
def font_settings(var: Path | None) -> dict[str, str]:
    """Where the drawer finds fonts, as its environment says it: the same on a bare machine as on any other.

    `var` is the installation's own folder, which keeps what is known of the fonts; nobody else may write there.
    """
    if var is None:
        folder = Path(tempfile.mkdtemp(prefix="trellis-fonts-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    else:
        folder = var / "fonts"
        folder.mkdir(parents=True, exist_ok=True)
    found = [FONTS, *(Path(name) for name in _MACHINE)]
    folders = "\n".join(f"<dir>{path}</dir>" for path in found if path.is_dir())
    made = folder / f".{os.getpid()}"
    made.write_text(_CONFIGURATION.format(folders=folders, cache=folder.absolute() / "cache"), "utf-8")
    os.replace(made, folder / "fonts.conf")  # whole, whoever reads it at the moment
    return {"FONTCONFIG_FILE": str(folder.absolute() / "fonts.conf"), "FONTCONFIG_PATH": str(folder.absolute())}
