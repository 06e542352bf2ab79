"""What somebody would write by hand for this one table: Flask, SQLAlchemy Core, Jinja; and the floor below it."""
