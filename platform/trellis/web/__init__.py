"""Tenant dispatcher, app factory, pages, widgets, templates and assets."""
