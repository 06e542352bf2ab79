"""Users, roles, sign-in: Flask-AppBuilder's security manager, and principals made from its users."""
