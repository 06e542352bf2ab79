"""Engine, embedded server, tenants' schemas and roles, tables from a Model, plan and apply."""
