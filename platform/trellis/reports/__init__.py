"""One report → one SQL query → table, chart, export."""
