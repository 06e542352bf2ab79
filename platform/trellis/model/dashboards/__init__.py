"""Dashboards: what they are made of, which periods have names, how a filter reaches what a widget shows."""
