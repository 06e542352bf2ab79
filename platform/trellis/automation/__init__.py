"""Automation: durable work in a queue, clocks, and what starts from changes of records."""
