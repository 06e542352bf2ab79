"""Reports at their times: mailed to people, kept as they stood."""
