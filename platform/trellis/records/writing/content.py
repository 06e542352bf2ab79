"""What a file is by its first bytes: whether it is what its name says, and no program in the guise of something else.

Only what a browser shows or a person opens without a second thought is looked at: pictures, PDF, what is packed. Text
needs no sign; it is never shown as a page, whatever is in it (`web/pages/files.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

HEAD = 1024
"""How many bytes of a file are looked at."""

Sign = Callable[[bytes], bool]


def _starts(*signs: bytes) -> Sign:
    return lambda head: head.startswith(signs)


def _within(sign: bytes) -> Sign:
    return lambda head: sign in head


_PACKED = _starts(b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_COMPOUND = _starts(b"\xd0\xcf\x11\xe0")  # Microsoft Office until 2003

SIGNS: Mapping[str, Sign] = {
    "image/png": _starts(b"\x89PNG"),
    "image/jpeg": _starts(b"\xff\xd8\xff"),
    "image/gif": _starts(b"GIF87a", b"GIF89a"),
    "image/webp": lambda head: head.startswith(b"RIFF") and head[8:12] == b"WEBP",
    "image/avif": lambda head: head[4:8] == b"ftyp" and head[8:12] in (b"avif", b"avis", b"mif1"),
    "image/bmp": _starts(b"BM"),
    "image/tiff": _starts(b"II*\0", b"MM\0*"),
    "application/pdf": _within(b"%PDF-"),
    "application/zip": _PACKED,
    "application/gzip": _starts(b"\x1f\x8b"),
    "application/msword": _COMPOUND,
    "application/vnd.ms-excel": _COMPOUND,
    "application/vnd.ms-powerpoint": _COMPOUND,
    **dict.fromkeys(
        (
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            "application/vnd.oasis.opendocument.text",
            "application/vnd.oasis.opendocument.spreadsheet",
            "application/vnd.oasis.opendocument.presentation",
        ),
        _PACKED,
    ),
}
"""How the content of a kind begins."""

_PROGRAM = _starts(b"MZ", b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"#!")
_PROGRAMS = frozenset(
    ".exe .dll .com .scr .sys .so .dylib .bin .class .sh .py .pl .rb .run .js .mjs .bat .cmd .ps1".split()
)


def is_what_it_says(suffix: str, kind: str, head: bytes) -> bool:
    """Whether a file's content fits its name. `suffix` like .png, `kind` the media type that the name stands for."""
    if (sign := SIGNS.get(kind)) is not None:
        return sign(head)
    return suffix in _PROGRAMS or not _PROGRAM(head)
