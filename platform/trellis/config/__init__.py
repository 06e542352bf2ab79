"""Documents, layers, stacking, JSON Schemas, diagnostics: everything that knows YAML; no database, no Flask."""
