"""The only door to records: query, write, validate, permit, number, search, history."""
