"""Widgets for files: sent when they are chosen, held in the form by signed tokens until it is saved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from flask import current_app, url_for
from itsdangerous import BadSignature, URLSafeSerializer

from trellis.model.field import Field
from trellis.records.writing.files import LARGEST
from trellis.web.widgets.base import Widget, widget
from trellis.web.widgets.submitted import Submitted

if TYPE_CHECKING:
    from trellis.web.widgets.bound import BoundField


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="trellis-file")


def token_of(file: Mapping[str, Any]) -> str:
    """A file's description, signed, so that nobody can claim a file by its hash."""
    token = _signer().dumps(dict(file))
    return token if isinstance(token, str) else token.decode()


def file_of(token: str) -> Mapping[str, Any] | None:
    """The description behind a token; None for a forged one."""
    try:
        found = _signer().loads(token)
    except BadSignature:
        return None
    return found if isinstance(found, dict) else None


def size_text(size: int) -> str:
    """A size for people: 412 KB."""
    for unit in ("B", "KB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 10 else f"{size:.1f} {unit}"
        size = size // 1000 if size >= 10_000 else size / 1000  # type: ignore[assignment]
    return f"{size:.0f} GB"


@widget("file", "image", "signature")
class Files(Widget):
    """One file or several."""

    compact: ClassVar[bool] = False
    stays: ClassVar[bool] = True

    def read(self, sent: Submitted, field: Field, name: str | None = None) -> Any:
        """The files behind the tokens."""
        found = tuple(file for token in sent.texts(name or field.key) if (file := file_of(token)) is not None)
        return found or None

    def context(self, bound: BoundField) -> Mapping[str, Any]:
        """The files that are held, and where more are sent."""
        type_: Any = bound.field.type
        value = bound.value or ()
        held = [value] if isinstance(value, Mapping) else list(value)
        return {
            "held": [
                {"token": token_of(f), "name": f.get("name"), "size": size_text(int(f.get("size") or 0))} for f in held
            ],
            "address": url_for("FilesView.upload", entity=bound.entity.key, field=bound.field.key),
            "multiple": bool(getattr(type_, "multiple", False)),
            "accept": ",".join(getattr(type_, "accept", ()) or ()) or ",".join(type_.accepted),
            "max_size": type_.max_size or LARGEST,
            "max_text": size_text(type_.max_size or LARGEST),
        }
