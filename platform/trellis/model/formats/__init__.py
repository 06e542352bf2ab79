"""Named formats of text: `format: iban` in a field, checked by shape and check digit."""

from trellis.model.formats.registry import FORMATS, Format, check_format, named_format

__all__ = ["FORMATS", "Format", "check_format", "named_format"]
