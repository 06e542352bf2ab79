"""Who has signed what lies in the store."""

from __future__ import annotations

from pathlib import Path

from trellis.packaging.keys import BadKey, PublicKey, read_public
from trellis.packaging.package import INDEX, SIGNATURE


def signer_in(folder: Path) -> PublicKey | None:
    """Whose signature was found good when the template in this folder was installed."""
    try:
        return read_public((folder / SIGNATURE).read_text("utf-8"))
    except (OSError, BadKey):
        return None


def index_in(folder: Path) -> bytes:
    """The index that a template was installed with."""
    try:
        return (folder / INDEX).read_bytes()
    except OSError:
        return b""
