"""Going from one version of a template to the next, with what tenants have changed on top of it."""
