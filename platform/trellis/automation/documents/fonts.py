"""The fonts of papers: Noto Sans SC, which comes with the pages' assets, and what the machine has beside it."""

from __future__ import annotations

import os
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
def font_settings() -> dict[str, str]:
    """Where the drawer finds fonts, as its environment says it: the same on a bare machine as on any other."""
    folder = Path(tempfile.gettempdir()) / f"trellis-fonts-{os.getuid() if hasattr(os, 'getuid') else 0}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = [FONTS, *(Path(name) for name in _MACHINE)]
    folders = "\n".join(f"<dir>{path}</dir>" for path in found if path.is_dir())
    file = folder / f"{os.getpid()}.conf"
    file.write_text(_CONFIGURATION.format(folders=folders, cache=folder / "cache"), "utf-8")
    return {"FONTCONFIG_FILE": str(file), "FONTCONFIG_PATH": str(folder)}
