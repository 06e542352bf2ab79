"""The frozen Model, the field types, and compiling a configuration into a Model."""
