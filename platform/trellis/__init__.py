"""Trellis: YAML in, a running CRM out."""

__version__ = "1.0.0"
CORE_VERSION = "1.0.0"  # of the core CRM in schemas/ and workflows/, which templates name in `requires: {core: ^1}`
