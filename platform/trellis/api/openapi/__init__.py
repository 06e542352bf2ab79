"""The OpenAPI 3.1 document of a tenant, as far as one caller may know it."""
