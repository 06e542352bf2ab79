"""The SQL back end: a formula as an SQLAlchemy expression over an entity's table."""
