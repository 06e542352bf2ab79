"""The field types, one class each: `registry` holds them by name; importing this package fills it."""

from trellis.model.fields import choices, contact, money, number, relations, temporal, text

__all__ = ["choices", "contact", "money", "number", "relations", "temporal", "text"]
