"""Trellis: YAML in, a running CRM out."""

__version__ = "1.0.0"
