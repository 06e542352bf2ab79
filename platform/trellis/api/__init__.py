"""The REST API of a tenant: the door to records over HTTP, for programs."""
