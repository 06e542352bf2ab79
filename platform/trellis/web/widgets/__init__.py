"""Widgets: how a field is edited. A widget reads a submitted form into a raw value and gives its template a context."""
