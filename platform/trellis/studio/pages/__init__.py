"""The studio's pages, for administrators, below /admin/configuration."""
