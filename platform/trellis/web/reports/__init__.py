"""Reports on pages: values in words, tables, drawings, exports, the form of a report's params."""
