"""Editing the configuration in the browser: drafts, checks, forms, plans, publishing, going back."""
