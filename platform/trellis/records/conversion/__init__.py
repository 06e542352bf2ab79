"""A record becomes records of other entities."""
