"""Dashboards at work: who sees which, what a reader has chosen, what each widget asks."""
