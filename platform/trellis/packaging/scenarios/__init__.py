"""Scenarios: a layer's tests, played on a throw-away tenant."""
