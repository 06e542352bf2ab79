"""The kinds of reports, each in a file of its own."""
