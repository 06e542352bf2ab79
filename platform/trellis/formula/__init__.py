"""The formula language: grammar, types, a Python back end and an SQL back end; no YAML, no Flask."""
