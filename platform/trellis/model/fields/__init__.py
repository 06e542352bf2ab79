"""The field types, one class each: `registry` holds them by name."""
