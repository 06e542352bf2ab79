"""The timeline of a record: its changes and what is about it, as entries by day."""
