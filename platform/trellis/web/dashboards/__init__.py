"""Dashboards on pages: arrangements, filters, and a drawer for each kind of widget."""
