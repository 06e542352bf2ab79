"""Webhooks: other systems are told of what happens to records, signed, and again until they have heard it."""
